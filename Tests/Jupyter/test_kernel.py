"""The kernel under jupyter_kernel_test: all of its cases."""

import jupyter_kernel_test


class Kernel(jupyter_kernel_test.KernelTests):
    kernel_name = "backflow"
    language_name = "backflow"
    file_extension = ".session"

    code_hello_world = 'let text = "hello, world"\nhistory'
    # Cropping warns that the split is cleared.
    code_stderr = "phantom size=16 slices=4 patients=2\nsplit by=patient\ncrop slices=0..1"
    completion_samples = [
        {"text": "phan", "matches": {"phantom"}},
        {"text": "noise gau", "matches": {"gaussian"}},
        {"text": "phantom si", "matches": {"size="}},
    ]
    complete_code_samples = ["phantom", "let a = 1\nlet b = $a", "# a comment", "phantom \\\n  size=32"]
    incomplete_code_samples = ["phantom \\", 'let a = "open', "view clean[1,"]
    invalid_code_samples = ["nonsense", "phantom sise=3"]
    code_page_something = "help view"
    code_generate_error = "stats cleen"
    code_execute_result = [
        {"code": "phantom size=16 slices=2\nnet new\nblock channels=2\nconv\nnet show", "mime": "text/html"},
        {"code": "net show", "mime": "text/plain"},
        {"code": "net show # again"},
    ]
    code_display_data = [
        {"code": "phantom size=32 slices=2\nview clean[1]", "mime": "image/png"},
        {"code": "hist clean", "mime": "image/svg+xml"},
    ]
    code_history_pattern = "net show [#]*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "noise gaussian"
    # The progress of a command of more than a second goes away before its result, if nothing else is shown.
    code_clear_output = "train epochs=1000 time=2s"

    def test_clear_output(self):
        self.flush_channels()
        self.execute_helper(
            code="phantom size=128 slices=4\nnoise gaussian\nnet new\nblock channels=16\nconv"
        )
        super().test_clear_output()


class Welcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "backflow"
    support_iopub_welcome = True
