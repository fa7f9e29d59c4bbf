"""Times a task in TensorFlow, traced by tf.function. Usage: tensorflow_peer.py TASK STEPS THREADS"""

import json
import os
import resource
import statistics
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

from networks import TASKS

ACTIVATIONS = {"linear": lambda z: z, "relu": tf.nn.relu, "sigmoid": tf.sigmoid, "tanh": tf.tanh,
               "arctan": tf.atan}


def parameters(layers):
    inputs = 1
    for one in layers:
        for _ in range(one["convs"]):
            kernel, channels = one["kernel"], one["channels"]
            deviation = (2 / (kernel * kernel * inputs)) ** 0.5
            yield tf.Variable(tf.random.normal([kernel, kernel, inputs, channels], 0, deviation))
            if one["bias"]:
                yield tf.Variable(tf.zeros([channels]))
            inputs = channels


def forward(layers, variables, image):
    x = image
    remaining = iter(variables)
    for one in layers:
        skip = image if one["skip"] == "input" else x
        for _ in range(one["convs"]):
            x = tf.nn.conv2d(x, next(remaining), 1, "SAME")
            if one["bias"]:
                x = tf.nn.bias_add(x, next(remaining))
            x = ACTIVATIONS[one["act"]](x)
        if one["merge"] == "add":
            x = x + skip
        elif one["merge"] == "multiply":
            x = x * skip
        elif one["merge"] == "multiply-add":
            x = x * skip + skip
    return x


def main():
    task = TASKS[int(sys.argv[1])]
    steps, threads = int(sys.argv[2]), int(sys.argv[3])
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.random.set_seed(1)
    variables = list(parameters(task["layers"]))
    shape = (task["batch"], task["side"], task["side"], 1)
    clean = tf.random.uniform(shape)
    noisy = clean + tf.random.normal(shape, 0, 0.1)
    optimizer = tf.keras.optimizers.Adam()
    optimizer.build(variables)

    @tf.function
    def step(noisy, clean):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(forward(task["layers"], variables, noisy) - clean))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    @tf.function
    def denoise(noisy, clean):
        return forward(task["layers"], variables, noisy)

    run = denoise if task["forward"] else step
    times = []
    for _ in range(steps + 2):
        start = time.perf_counter()
        run(noisy, clean).numpy()
        times.append(time.perf_counter() - start)
    print(json.dumps({"seconds": {"tf.function": statistics.median(times[2:])},
                      "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


main()
