"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-4-3-1": {
        """def frozen_scores(discriminator, images, layers):
    with torch.no_grad():
        seen = discriminator.body[:layers](images)
    return discriminator.head(discriminator.body[layers:](seen)).flatten()""": "the generator cannot learn",
        """def frozen_scores(discriminator, images, layers):
    discriminator.body[:layers].requires_grad_(False)
    return discriminator.head(discriminator.body(images.detach())).flatten()""": "the generator cannot learn",
        """def frozen_scores(discriminator, images, layers):
    return discriminator.head(discriminator.body(images)).flatten()""": "still get a gradient",
        """def frozen_scores(discriminator, images, layers):
    discriminator.requires_grad_(False)
    return discriminator.head(discriminator.body(images)).flatten()""": "too much is frozen",
        """def frozen_scores(discriminator, images, layers):
    discriminator.body.requires_grad_(False)
    return discriminator.head(discriminator.body(images)).flatten()""": "too much is frozen",
        """def frozen_scores(discriminator, images, layers):
    with torch.no_grad():
        return discriminator.head(discriminator.body(images)).flatten()""": "have no gradient",
        """def frozen_scores(discriminator, images, layers):
    discriminator.body[:layers].requires_grad_(False)
    return discriminator.head(discriminator.body(images))""": "one score an image",
        """def frozen_scores(discriminator, images, layers):
    discriminator.body[:layers].requires_grad_(False)
    return discriminator.body(images).mean((1, 2, 3))""": "not the discriminator's scores",
    },
    "ex-4-3-2": {
        "augmented_scores = lambda d, real, fake, augment: (d(augment(real)), d(fake))": "only the real images",
        "augmented_scores = lambda d, real, fake, augment: (d(real), d(augment(fake)))": "only the fakes",
        "augmented_scores = lambda d, real, fake, augment: (d(augment(real)), d(augment(fake.detach())))": "cut off",
        "augmented_scores = lambda d, real, fake, augment: (d(augment(fake)), d(augment(real)))": "the order",
        "augmented_scores = lambda d, real, fake, augment: (d(real), d(fake))": "nothing is augmented",
    },
    "ex-4-3-3": {
        """def copied_share(train, fake, held_out):
    usual = torch.cdist(held_out, train).amin(1).quantile(0.05)
    return (torch.cdist(fake, train).amin(1) > usual).float().mean()""": "farther away",
        """def copied_share(train, fake, held_out):
    usual = torch.cdist(held_out, train).amin(1).mean()
    return (torch.cdist(fake, train).amin(1) < usual).float().mean()""": "no threshold",
        """def copied_share(train, fake, held_out):
    usual = torch.cdist(train, train).amin(1).quantile(0.05)
    return (torch.cdist(fake, train).amin(1) < usual).float().mean()""": "with themselves",
        """def copied_share(train, fake, held_out):
    usual = torch.cdist(held_out, train).amin(1).quantile(0.95)
    return (torch.cdist(fake, train).amin(1) < usual).float().mean()""": "upper end",
        """def copied_share(train, fake, held_out):
    usual = torch.cdist(held_out, train).amin(1).median()
    return (torch.cdist(fake, train).amin(1) < usual).float().mean()""": "below the median",
    },
    "ex-4-3-4": {
        """def next_probability(p, real_scores, target, step):
    r = real_scores.sign().mean().item()
    return p - step if r > target else p + step""": "augment more",
        """def next_probability(p, real_scores, target, step):
    r = real_scores.mean().item()
    return min(max(p + step if r > target else p - step, 0), 1)""": "sign of every score",
        """def next_probability(p, real_scores, target, step):
    r = real_scores.sign().mean().item()
    return p + step if r > target else p - step""": "below 0",
        """def next_probability(p, real_scores, target, step):
    r = real_scores.sign().mean().item()
    return min(max(p + step * (r - target), 0), 1)""": "Only the sign counts",
    },
}
