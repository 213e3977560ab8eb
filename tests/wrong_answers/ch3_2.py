"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-3-2-1": {
        "saturated = lambda images, limit: (images.abs() > limit).sum()": "divide by how many",
        "saturated = lambda images, limit: (images > limit).float().mean()": "only the bright side",
        "saturated = lambda images, limit: (images.abs() > 0.99).float().mean()": "use the limit",
        "saturated = lambda images, limit: (images.abs() <= limit).float().mean() / 2": "on either side, you gave",
    },
    "ex-3-2-2": {
        """
def image_gradient(discriminator, images):
    x = images.clone().requires_grad_(True)
    return torch.autograd.grad(discriminator(x).mean(), x)[0]
""": "the mean divides",
        """
def image_gradient(discriminator, images):
    x = images.clone().requires_grad_(True)
    discriminator(x).sum().backward()
    return x.grad
""": "left in the discriminator",
        """
def image_gradient(discriminator, images):
    x = images.clone().requires_grad_(True)
    return torch.autograd.grad(F.softplus(-discriminator(x)).sum(), x)[0]
""": "generator's loss",
        """
def image_gradient(discriminator, images):
    x = images.clone().requires_grad_(True)
    return torch.autograd.grad(-discriminator(x).sum(), x)[0]
""": "sign is wrong",
        """
def image_gradient(discriminator, images):
    x = images.clone().requires_grad_(True)
    return torch.autograd.grad(discriminator(x).sum(), x)
""": "gives a tuple",
        "image_gradient = lambda discriminator, images: torch.autograd.grad(discriminator(images).sum(), images)": (
            "RuntimeError"
        ),
    },
    "ex-3-2-3": {
        """
def who_moved(generator, discriminator, step):
    players = {"generator": generator, "discriminator": discriminator}
    before = {name: list(model.parameters()) for name, model in players.items()}
    step()
    return {n for n in players if any(not torch.equal(a, b) for a, b in zip(before[n], players[n].parameters()))}
""": "so clone",
        """
def who_moved(generator, discriminator, step):
    players = {"generator": generator, "discriminator": discriminator}
    step()
    return {n for n, model in players.items() if any(p.grad is not None for p in model.parameters())}
""": "in this step discriminator moved",
        "who_moved = lambda generator, discriminator, step: {'discriminator'}": "never called",
    },
    "ex-3-2-4": {
        """
def update_both(generator, discriminator, opt_g, opt_d, real, z):
    fake = generator(z)
    loss_d = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()
    opt_g.zero_grad()
    F.softplus(-discriminator(fake)).mean().backward()
    opt_g.step()
    return True
""": "updated discriminator",
        """
def update_both(generator, discriminator, opt_g, opt_d, real, z):
    fake = generator(z)
    loss_d = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()
    loss_g = F.softplus(-discriminator(fake)).mean()
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    return True
""": "RuntimeError",
        """
def update_both(generator, discriminator, opt_g, opt_d, real, z):
    fake = generator(z)
    loss_d = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()
    loss_g = F.softplus(-discriminator(fake)).mean()
    opt_d.zero_grad()
    opt_g.zero_grad()
    loss_d.backward()
    loss_g.backward()
    opt_d.step()
    opt_g.step()
    return True
""": "left gradients in the discriminator",
        """
def update_both(generator, discriminator, opt_g, opt_d, real, z):
    fake = generator(z)
    loss_d = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake)).mean()
    loss_g = F.softplus(-discriminator(fake)).mean()
    gradients_d = torch.autograd.grad(loss_d, list(discriminator.parameters()), retain_graph=True)
    opt_g.zero_grad()
    loss_d.backward(retain_graph=True)
    loss_g.backward()
    for p, gradient in zip(discriminator.parameters(), gradients_d):
        p.grad = gradient
    opt_d.step()
    opt_g.step()
    return True
""": "pulls it the other way",
        """
def update_both(generator, discriminator, opt_g, opt_d, real, z):
    fake = generator(z)
    loss_d = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()
    loss_d.backward(inputs=list(discriminator.parameters()))
    F.softplus(-discriminator(fake)).mean().backward(inputs=list(generator.parameters()))
    opt_d.step()
    opt_g.step()
    return True
""": "old gradients",
        "update_both = lambda generator, discriminator, opt_g, opt_d, real, z: True": "has not moved",
    },
}
