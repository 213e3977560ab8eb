"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

ROUND = """
def one_round(g, d, adam_g, adam_d, real, z):
    fake = g(z)
    loss_d = F.softplus({real}d(real)).mean() + F.softplus({fake}d(fake{detach})).mean()
    {clear}
    loss_d.backward()
    adam_d.step()
    loss_g = {loss}
    adam_g.zero_grad()
    loss_g.backward()
    adam_g.step()
    return {returned}
"""
RIGHT = {
    "real": "-",
    "fake": "",
    "detach": ".detach()",
    "clear": "adam_d.zero_grad()",
    "loss": "F.softplus(-d(fake)).mean()",
    "returned": "loss_d.item(), loss_g.item()",
}


def faulty(template, right):
    """The right answer as a function of its faults: the parts that differ."""
    return lambda **faults: template.format(**right | faults)


one_round = faulty(ROUND, RIGHT)

LOOP = """
def carry_over(source, target):
    new = target.state_dict()
    left = []
    for name, value in source.{what}:
        if {fits}:
            new[name].{copy}
    return {returned}
"""
COPIES = {
    "what": "state_dict().items()",
    "fits": "name in new and new[name].shape == value.shape",
    "copy": "copy_(value)",
    "returned": "[n for n in new if n not in source.state_dict() or source.state_dict()[n].shape != new[n].shape]",
}


carry_over = faulty(LOOP, COPIES)

WHOLE = "def carry_over(source, target):\n    {}.load_state_dict({}.state_dict(){})\n    return []"

WRONG = {
    "ex-0-1": {
        one_round(real="", fake="-"): "labels are swapped: the",
        one_round(detach=""): "detach",
        one_round(clear=""): "clear them before its step",
        one_round(real="", fake="-", clear=""): "gradients are not cleared",
        one_round(loss="-F.softplus(d(fake)).mean()"): "leave it as it is",
        one_round(fake="-"): "line by line",
    },
    "ex-0-2": {
        WHOLE.format("target", "source", ", strict=False"): "strict=False excuses names only",
        carry_over(what="named_parameters()", copy="data.copy_(value.data)"): "no parameters, but belong",
        carry_over(copy="mul_(1)"): "was not copied",
        carry_over(returned="[n for n in new if n in source.state_dict() and 'head' not in n]"): "that were copied",
        carry_over(returned="['head.weight']"): "left as they were: head.weight, head.bias",
        carry_over(returned="1"): "return the names",
        WHOLE.format("source", "target", ""): "strict=False",
    },
    "ex-0-3": {
        "prediction = lambda: ['scratch', 'clothes', 'letters']": "lowest first",
        "prediction = lambda: ['letters', 'scratch', 'clothes']": "black border",
        "prediction = lambda: ['clothes', 'letters', 'scratch']": "strokes",
        "prediction = lambda: 'letters'": "return a list",
    },
}
