"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-4-1-1": {
        """
def normalise(x, mean, std):
    m, s = (torch.tensor(v).view(1, -1, 1, 1) for v in (mean, std))
    return (x.float() - m) / s
""": "divide by 255",
        """
def normalise(x, mean, std):
    m, s = (torch.tensor(v).view(1, -1, 1, 1) for v in (mean, std))
    return x.float() / 255 / s - m
""": "subtract the mean before",
        """
def normalise(x, mean, std):
    m, s = (torch.tensor(v).view(1, -1, 1, 1) for v in (mean, std))
    return (x.float() / 255 - s) / m
""": "swapped",
        """
def normalise(x, mean, std):
    return (x.float() / 255 - torch.tensor(mean)) / torch.tensor(std)
""": "and not to a column",
        """
def normalise(x, mean, std):
    return (x.float() / 255 - mean[0]) / std[0]
""": "of each channel",
        "normalise = lambda x, mean, std: (x.float() / 255).flatten()": "the shape must stay",
        "normalise = lambda x, mean, std: x": "floating-point",
        "normalise = lambda x, mean, std: x / 0 + unknown": "NameError",
    },
    "ex-4-1-2": {
        """
def prepare(model, classes, head_lr, body_lr):
    head = list(model.fc.parameters())
    body = [p for name, p in model.named_parameters() if "fc" not in name]
    model.fc = nn.Linear(model.fc.in_features, classes)
    return model, [{"params": head, "lr": head_lr}, {"params": body, "lr": body_lr}]
""": "which head do the groups hold",
        """
def prepare(model, classes, head_lr, body_lr):
    model.fc = nn.Linear(model.fc.in_features, classes)
    body = [p for name, p in model.named_parameters() if "fc" not in name]
    return model, [{"params": model.fc.parameters(), "lr": head_lr}, {"params": body, "lr": body_lr}]
""": "body.1.fc1.weight",
        """
def prepare(model, classes, head_lr, body_lr):
    model.fc = nn.Linear(model.fc.in_features, classes)
    return model, [{"params": model.fc.parameters(), "lr": head_lr}, {"params": model.parameters(), "lr": body_lr}]
""": "in both groups",
        """
def prepare(model, classes, head_lr, body_lr):
    model.fc = nn.Linear(model.fc.in_features, classes)
    body = [p for name, p in model.named_parameters() if not name.startswith("fc.")]
    return model, [{"params": model.fc.parameters(), "lr": body_lr}, {"params": body, "lr": head_lr}]
""": "swapped",
        """
def prepare(model, classes, head_lr, body_lr):
    body = [p for name, p in model.named_parameters() if not name.startswith("fc.")]
    if model.fc.out_features != classes:
        model.fc = nn.Linear(model.fc.in_features, classes)
    return model, [{"params": model.fc.parameters(), "lr": head_lr}, {"params": body, "lr": body_lr}]
""": "must be a new one",
        """
def prepare(model, classes, head_lr, body_lr):
    old = list(model.fc.parameters())
    model.fc = nn.Linear(model.fc.in_features, classes)
    head = [*old, *model.fc.parameters()]
    body = [p for name, p in model.named_parameters() if not name.startswith("fc.")]
    return model, [{"params": head, "lr": head_lr}, {"params": body, "lr": body_lr}]
""": "no longer",
        "prepare = lambda model, classes, head_lr, body_lr: (model, model.parameters())": "list of dicts",
        "prepare = lambda model, classes, head_lr, body_lr: model": "two things",
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
        p.requires_grad_("fc" in name)
    return model.eval()
""": "stays in train mode",
        """
def freeze_body(model):
    for name, p in model.named_parameters():
        p.requires_grad_("fc" in name)
    for layer in model.children():
        layer.train(isinstance(layer, nn.Linear))
    return model
""": "body.1.fc1.weight",
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
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
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
