"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-5-1-1": {
        "low_rank_parameters = lambda inputs, outputs, kernel, rank: inputs * outputs * kernel**2": "itself",
        "low_rank_parameters = lambda inputs, outputs, kernel, rank: rank * (inputs + outputs)": "a whole patch",
        "low_rank_parameters = lambda inputs, outputs, kernel, rank: rank * inputs * kernel**2 * outputs": "added up",
        "low_rank_parameters = lambda inputs, outputs, kernel, rank: inputs * kernel**2 + outputs": "by the rank",
    },
    "ex-5-1-2": {
        "fgsm_step = lambda images, gradient, epsilon: images + epsilon * gradient.sign()": "clamp the result",
        "fgsm_step = lambda images, gradient, epsilon: (images - epsilon * gradient.sign()).clamp(0, 1)": "so add",
        "fgsm_step = lambda images, gradient, epsilon: (images + epsilon * gradient).clamp(0, 1)": "only the sign",
        "fgsm_step = lambda images, gradient, epsilon: images.add_(epsilon * gradient.sign()).clamp(0, 1)": "the input",
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
def share_of_copies(samples, training, held_out):
    near = torch.cdist(samples, training).min(1).values
    return (near < torch.cdist(samples, held_out).min(1).values).float().mean()
""": "not from the samples",
        """
def share_of_copies(samples, training, held_out):
    return (torch.cdist(samples, training).min(1).values == 0).float().mean()
""": "rarely exact",
        """
def share_of_copies(samples, training, held_out):
    near = torch.cdist(samples, training).min(1).values
    return (near < torch.cdist(held_out, training).min(1).values.max()).float().mean()
""": "not with the largest",
        """
def share_of_copies(samples, training, held_out):
    near = torch.cdist(samples, training).min(1).values
    return (near < torch.cdist(held_out, training).min(1).values.min()).sum()
""": "number of samples",
    },
}
