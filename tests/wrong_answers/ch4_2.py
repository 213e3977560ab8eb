"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-4-2-1": {
        "output_size = lambda size, kernel, stride, padding: (size + 2 * padding - kernel) // stride + 1": "ordinary",
        "output_size = lambda size, kernel, stride, padding: size * stride": "fits only some",
        "output_size = lambda size, kernel, stride, padding: size * stride - 2 * padding + kernel": "PyTorch gives 4",
    },
    "ex-4-2-2": {
        "discriminator_loss = lambda r, f: F.softplus(r).mean() + F.softplus(-f).mean()": "labels are swapped",
        "discriminator_loss = lambda r, f: F.softplus(-r).mean() + F.softplus(-f).mean()": 'both terms ask for "real"',
        "discriminator_loss = lambda r, f: F.softplus(-r).sum() + F.softplus(f).sum()": "mean, not the sum",
        "discriminator_loss = lambda r, f: F.softplus(-r) + F.softplus(f)": "return one number",
        "discriminator_loss = lambda r, f: r.sigmoid().log().mean() + (1 - f.sigmoid()).log().mean()": "sign is wrong",
        "discriminator_loss = lambda r, f: -r.sigmoid().log().mean() - (1 - f.sigmoid()).log().mean()": "overflows",
        "discriminator_loss = lambda r, f: f.mean() - r.mean()": "compare with",
    },
    "ex-4-2-3": {
        "ema = lambda average, current, decay: (1 - decay) * average + decay * current": "weighs the old average",
        "ema = lambda average, current, decay: (average + current) / 2": "plain mean",
        "ema = lambda average, current, decay: decay * average": "decay = 1",
        "ema = lambda average, current, decay: 0.0": "as a tensor",
    },
}
