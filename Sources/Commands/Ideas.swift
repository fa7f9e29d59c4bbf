package import CommandLanguage

/// The topics for beginners that `help` explains, such as `help HU`.
package let helpTopics: [HelpTopic] = [
  HelpTopic(
    "HU", "The unit of CT: how much tissue weakens X-rays.", seeAlso: ["window", "stats", "scale"],
    """
    Hounsfield units put water at 0 and air at −1000. Lung is near −800, fat near −100, muscle \
    near 50, bone from 300 up. A scanner stores whole numbers; slope and intercept in the file \
    turn them into HU, which is what clean and noisy hold.
    """),
  HelpTopic(
    "window", "The range of values that a picture spreads over its greys.",
    seeAlso: ["view", "panel"],
    """
    CT values span 4000 HU, a screen shows 256 greys. A window has a center and a width: what is \
    below center − width/2 is black, what is above center + width/2 is white. Lung: center −600, \
    width 1500. A window changes pictures only, never the values.
    """),
  HelpTopic(
    "residual", "A block adds to what it is given, in place of making it anew.",
    seeAlso: ["block", "output", "net show"],
    """
    A residual block computes out = a + s: its convolutions make a, and s is its input, skipped \
    past them. If nothing needs to change, a = 0 is enough, and gradients have a straight way \
    back through s. 'output subtract' does the same for the whole network: it learns the noise, \
    and the input minus the noise is the answer.
    """),
  HelpTopic(
    "convolution", "Each pixel becomes a weighted sum of its neighbourhood.",
    seeAlso: ["conv", "block", "net show"],
    """
    A 3×3 kernel multiplies the nine pixels around a place, in each input channel, and adds the \
    products and a bias. The same weights slide over the whole slice. weight has the shape \
    [outputs, inputs, rows, columns]; outside the slice there are zeros.
    """),
  HelpTopic(
    "gradient", "How much the loss changes when one number changes.",
    seeAlso: ["gradcheck", "flow", "stats"],
    """
    Back-propagation walks from the loss to the first layer and gives each value and weight its \
    gradient by the chain rule; where two paths meet, gradients add. NAME.grad shows it: \
    stats b1.conv1.weight.grad. gradcheck compares with (loss(w + h) − loss(w − h)) / 2h, \
    computed without any chain rule.
    """),
  HelpTopic(
    "loss", "The one number that training makes small.", seeAlso: ["train", "evaluate"],
    """
    mse is the mean of (output − target)², l1 the mean of |output − target|. The loss is taken in \
    network range, after 'scale' has mapped HU to about 0…1, so it has no unit.
    """),
  HelpTopic(
    "adam", "The rule that turns gradients into steps of the weights.",
    seeAlso: ["optimizer adam", "optimizer sgd", "train"],
    """
    Adam keeps a running mean m of each weight's gradient and a running mean v of its square, and \
    moves the weight by −lr·m/(√v + ε), so that each weight gets steps of about the size lr \
    whatever the size of its gradients. NAME.m, NAME.v and NAME.update show them.
    """),
  HelpTopic(
    "psnr", "How close two images are, in decibels; more is better.", seeAlso: ["evaluate"],
    """
    20·log10(range / rmse), where rmse is the root of the mean squared difference. The number \
    depends on the range: an rmse of 23 HU is 45 dB when the range is 4096 and 25 dB when it is \
    400. So every figure here names its convention, and 'denoised' stands beside 'noisy'.
    """),
  HelpTopic(
    "ssim", "How alike two images are in structure, from −1 to 1.", seeAlso: ["evaluate"],
    """
    Compares means, spreads and the correlation in a small window around each pixel, and averages. \
    It sees blur that psnr forgives. 1 means equal.
    """),
  HelpTopic(
    "noise", "Grain that hides structure; less X-ray dose gives more of it.",
    seeAlso: ["noise gaussian", "noise uniform", "denoise"],
    """
    To learn to take noise away, a network needs noisy and clean slices of the same place, so \
    noise is added to clean ones. 'fixed' draws it once, 'fresh' anew for each batch. Gaussian \
    noise is a simple stand-in; that of a scanner depends on dose and anatomy.
    """),
  HelpTopic(
    "split", "Which slices train, and which only judge.", seeAlso: ["evaluate", "data"],
    """
    A network can remember what it was trained on, so it is judged on slices it has never seen: \
    the test share. Validation slices are watched while training. Neighbouring slices look alike, \
    so whole patients go to one share.
    """),
  HelpTopic(
    "session", "A text of commands and what came back, which runs again.",
    seeAlso: ["session save", "history", "expect"],
    """
    Everything typed is recorded from the first command; 'session save NAME' writes NAME.session \
    and its pictures. 'backflow replay NAME.session' runs it again and checks every line and \
    picture; 'backflow run' only runs it. Lines that begin with "> " are commands, lines that \
    begin with # are for the reader, everything else came back. What was not saved is kept \
    when you leave, and the next start says where; the last 20 such sessions stay.
    """),
]
