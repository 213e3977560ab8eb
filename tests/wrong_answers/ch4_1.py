"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-4-1-1": {
        "normalise = lambda x, mean, std: (x.float() - mean) / std": "divide by 255",
        "normalise = lambda x, mean, std: x.float() / 255 / std - mean": "subtract the mean before",
        "normalise = lambda x, mean, std: (x.float() / 255 - std) / mean": "swapped",
        "normalise = lambda x, mean, std: x": "floating-point",
        "normalise = lambda x, mean, std: x / 0 + unknown": "NameError",
    },
    "ex-4-1-2": {
        """
def parameter_groups(model, head_lr, body_lr):
    return [{"params": model.fc.parameters(), "lr": head_lr}, {"params": model.parameters(), "lr": body_lr}]
""": "in both groups",
        """
def parameter_groups(model, head_lr, body_lr):
    return [{"params": model.fc.parameters(), "lr": head_lr}, {"params": model.conv1.parameters(), "lr": body_lr}]
""": "bn1.weight",
        """
def parameter_groups(model, head_lr, body_lr):
    body = [p for name, p in model.named_parameters() if not name.startswith("fc.")]
    return [{"params": model.fc.parameters(), "lr": body_lr}, {"params": body, "lr": head_lr}]
""": "swapped",
        "parameter_groups = lambda model, head_lr, body_lr: model.parameters()": "list of dicts",
    },
    "ex-4-1-3": {
        """
def freeze_body(model):
    for p in model.parameters():
        p.requires_grad_(False)
    return model
""": "must stay trainable",
        "freeze_body = lambda model: model": "still trainable",
        """
def freeze_body(model):
    for name, p in model.named_parameters():
        p.requires_grad_(name.startswith("fc."))
    return model
""": "running statistics",
        """
def freeze_body(model):
    for name, p in model.named_parameters():
        p.requires_grad_(name.startswith("fc."))
    return model.eval()
""": "stays in train mode",
        "freeze_body = lambda model: model.fc": "return the model",
    },
}
