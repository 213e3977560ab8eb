"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-5-1-1": {
        "low_rank_parameters = lambda inputs, outputs, kernel, rank: inputs * outputs * kernel**2": "itself",
        "low_rank_parameters = lambda inputs, outputs, kernel, rank: rank * (inputs + outputs)": "a whole patch",
        "low_rank_parameters = lambda inputs, outputs, kernel, rank: rank * inputs * kernel**2 * outputs": "added up",
        "low_rank_parameters = lambda inputs, outputs, kernel, rank: inputs * kernel**2 + outputs": "by the rank",
        """
def low_rank_parameters(inputs, outputs, kernel, rank):
    return rank * (inputs * kernel**rank + outputs)
""": "whatever the rank",
        "low_rank_parameters = lambda inputs, outputs, kernel, rank: 2 * (9 * inputs + outputs)": "nor the rank 2",
        "low_rank_parameters = lambda inputs, outputs, kernel, rank: rank * (9 * inputs + outputs)": "need not be 3",
        """
def low_rank_parameters(inputs, outputs, kernel, rank):
    return 2 * (kernel**2 * inputs + outputs)
""": "need not be 2",
    },
    "ex-5-1-2": {
        "targeted_step = lambda images, gradient, epsilon: images - epsilon * gradient.sign()": "clamp the result",
        """
def targeted_step(images, gradient, epsilon):
    return (images + epsilon * gradient.sign()).clamp(0, 1)
""": "go down",
        "targeted_step = lambda images, gradient, epsilon: (images - epsilon * gradient).clamp(0, 1)": "only the sign",
        """
def targeted_step(images, gradient, epsilon):
    return images.sub_(epsilon * gradient.sign()).clamp(0, 1)
""": "the input",
        """
def targeted_step(images, gradient, epsilon):
    return (images - 0.1 * gradient.sign()).clamp(0, 1)
""": "what is given",
    },
    "ex-5-1-3": {
        """
def set_coordinate(latents, direction, value):
    return latents + value * direction / direction.norm()
""": "take the old one out",
        """
def set_coordinate(latents, direction, value):
    return latents - (latents @ direction)[:, None] * direction + value * direction
""": "divide it by its norm",
        """
def set_coordinate(latents, direction, value):
    return (value * direction / direction.norm()).expand(latents.shape)
""": "must stay as it was",
        """
def set_coordinate(latents, direction, value):
    unit = direction / direction.norm()
    return latents - (latents @ unit)[:, None] * unit
""": "new value is missing",
    },
    "ex-5-1-4": {
        "attack_auc = lambda members, strangers: (members[:, None] > strangers).float().mean()": "a tie as half",
        "attack_auc = lambda members, strangers: (members[:, None] >= strangers).float().mean()": "a tie as half",
        """
def attack_auc(members, strangers):
    won = (strangers[:, None] > members).float() + 0.5 * (strangers[:, None] == members).float()
    return won.mean()
""": "swapped",
        "attack_auc = lambda members, strangers: (members > 0).float().mean()": "every stranger",
    },
    "ex-5-1-5": {
        """
def share_of_copies(samples, training, held_out, tail):
    near = torch.cdist(samples, training).min(1).values
    return (near < torch.cdist(samples, held_out).min(1).values).float().mean()
""": "not from the samples",
        """
def share_of_copies(samples, training, held_out, tail):
    return (torch.cdist(samples, training).min(1).values == 0).float().mean()
""": "rarely exact",
        """
def share_of_copies(samples, training, held_out, tail):
    near = torch.cdist(samples, training).min(1).values
    return (near < torch.cdist(held_out, training).min(1).values.max()).float().mean()
""": "use the near tail",
        """
def share_of_copies(samples, training, held_out, tail):
    near = torch.cdist(samples, training).min(1).values
    return (near < torch.cdist(held_out, training).min(1).values.min()).float().mean()
""": "what share may be",
        """
def share_of_copies(samples, training, held_out, tail):
    near = torch.cdist(samples, training).min(1).values
    return (near < torch.cdist(held_out, training).min(1).values.quantile(1 - tail)).float().mean()
""": "take the near one",
        """
def share_of_copies(samples, training, held_out, tail):
    near = torch.cdist(samples, training).min(1).values
    return (near < torch.cdist(held_out, training).min(1).values.quantile(tail)).sum()
""": "number of samples",
        """
def share_of_copies(samples, training, held_out, tail):
    near = torch.cdist(samples, training).min(1).values
    return (near < torch.cdist(held_out, training).min(1).values.quantile(0.25)).float().mean()
""": "nearer than 6",
    },
}
