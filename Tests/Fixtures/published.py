"""Published networks in PyTorch, each from its paper or its authors' program."""

import torch
from torch import nn


class Subtracted(nn.Module):
    """The input less what layers in a row make of it."""

    def __init__(self, *layers):
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return x - self.model(x)


def inner(channels, dilation=1):
    return [
        nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    ]


def dncnn(depth):
    layers = [nn.Conv2d(1, 64, 3, padding=1), nn.ReLU()]
    for _ in range(depth - 2):
        layers += inner(64)
    return Subtracted(*layers, nn.Conv2d(64, 1, 3, padding=1))


def ircnn():
    layers = [nn.Conv2d(1, 64, 3, padding=1), nn.ReLU()]
    for dilation in [2, 3, 4, 3, 2]:
        layers += inner(64, dilation)
    return Subtracted(*layers, nn.Conv2d(64, 1, 3, padding=1))


def cnn10():
    return nn.Sequential(
        nn.Conv2d(1, 64, 9, padding=4),
        nn.ReLU(),
        nn.Conv2d(64, 32, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 1, 5, padding=2),
    )


class REDCNN(nn.Module):
    def __init__(self, channels=96):
        super().__init__()
        for i in range(1, 6):
            setattr(self, f"conv{i}", nn.Conv2d(1 if i == 1 else channels, channels, 5))
        for i in range(1, 6):
            outputs = 1 if i == 5 else channels
            setattr(self, f"tconv{i}", nn.ConvTranspose2d(channels, outputs, 5))

    def forward(self, x):
        relu = torch.relu
        second = relu(self.conv2(relu(self.conv1(x))))
        fourth = relu(self.conv4(relu(self.conv3(second))))
        y = self.tconv1(relu(self.conv5(fourth))) + fourth
        y = self.tconv3(relu(self.tconv2(relu(y)))) + second
        return self.tconv5(relu(self.tconv4(relu(y)))) + x


class ResidualBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.layers = nn.Sequential(
            *[nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU()],
            *[nn.Conv2d(channels, channels, 3, padding=1, groups=8), nn.BatchNorm2d(channels)],
            *[nn.ReLU(), nn.Conv2d(channels, channels, 1)],
        )

    def forward(self, x):
        return self.layers(x) + x


class ResNet(nn.Module):
    def __init__(self, channels=128, blocks=10):
        super().__init__()
        self.in_conv = nn.Conv2d(1, channels, 9, padding=4)
        self.blocks = nn.ModuleList([ResidualBlock(channels) for _ in range(blocks)])
        self.out_conv = nn.Conv2d(channels, 1, 3, padding=1)

    def forward(self, x):
        y = self.in_conv(x)
        for block in self.blocks:
            y = block(y)
        return x - self.out_conv(y)


def generator():
    layers = [nn.Conv2d(1, 32, 3, padding=1), nn.ReLU()]
    for _ in range(6):
        layers += [nn.Conv2d(32, 32, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(32, 1, 3, padding=1))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()

        def twice(inputs, outputs):
            return nn.Sequential(
                *[nn.Conv2d(inputs, outputs, 3, padding=1), nn.GroupNorm(8, outputs), nn.ReLU()],
                *[nn.Conv2d(outputs, outputs, 3, padding=1), nn.GroupNorm(8, outputs), nn.ReLU()],
            )

        self.part1, self.part2, self.part3 = twice(1, 32), twice(32, 64), twice(64, 128)
        self.part4, self.part5 = nn.ConvTranspose2d(128, 64, 2, 2), twice(128, 64)
        self.part6, self.part7 = nn.ConvTranspose2d(64, 32, 2, 2), twice(64, 32)
        self.part8 = nn.Conv2d(32, 1, 1)

    def forward(self, x):
        pool = nn.functional.max_pool2d
        whole = self.part1(x)
        half = self.part2(pool(whole, 2))
        y = self.part4(self.part3(pool(half, 2)))
        y = self.part6(self.part5(torch.cat([y, half], 1)))
        return x - self.part8(self.part7(torch.cat([y, whole], 1)))


NETWORKS = {
    "dncnn17": lambda: dncnn(17),
    "dncnn20": lambda: dncnn(20),
    "ircnn": ircnn,
    "cnn10": cnn10,
    "redcnn": REDCNN,
    "ldct-resnet": ResNet,
    "wgan-generator": generator,
    "unet": UNet,
}
