"""Label of the exercise: wrong answers, each with a part of the hint that it must get."""

WRONG = {
    "ex-3-3-1": {
        "logit_gradient = lambda z, y: z.softmax(1) - F.one_hot(y, z.shape[1])": "divide by N",
        "logit_gradient = lambda z, y: (z.softmax(1) - F.one_hot(y, z.shape[1])) / z.shape[1]": "not of classes",
        "logit_gradient = lambda z, y: (F.one_hot(y, z.shape[1]) - z.softmax(1)) / len(y)": "sign",
        "logit_gradient = lambda z, y: z.softmax(1) / len(y)": "label is missing",
        "logit_gradient = lambda z, y: (z.softmax(0) - F.one_hot(y, z.shape[1])) / len(y)": "dim 1",
        """
def logit_gradient(logits, labels):
    e = logits.exp()
    return (e / e.sum(1, keepdim=True) - F.one_hot(labels, logits.shape[1])) / len(labels)
""": "overflow",
        "logit_gradient = lambda z, y: F.cross_entropy(z, y)": "one number a logit",
    },
    "ex-3-3-2": {
        """
def l2_sp(body, start, head, alpha, beta):
    return alpha * (body - start).square().sum() + beta * head.square().sum()
""": "factor ½",
        """
def l2_sp(body, start, head, alpha, beta):
    return alpha / 2 * body.square().sum() + beta / 2 * head.square().sum()
""": "pulls the body to zero",
        """
def l2_sp(body, start, head, alpha, beta):
    return beta / 2 * (body - start).square().sum() + alpha / 2 * head.square().sum()
""": "swapped",
        "l2_sp = lambda body, start, head, alpha, beta: alpha / 2 * (body - start).square().sum()": "its own term",
        """
def l2_sp(body, start, head, alpha, beta):
    return alpha / 2 * (body - start).norm() + beta / 2 * head.norm()
""": "square the norms",
        """
def l2_sp(body, start, head, alpha, beta):
    return (alpha / 2 * (body - start).square().sum() + beta / 2 * head.square().sum()).item()
""": "return a tensor",
        """
def l2_sp(body, start, head, alpha, beta):
    return (alpha / 2 * (body - start).square().sum() + beta / 2 * head.square().sum()).detach()
""": "no gradient flows",
    },
    "ex-3-3-3": {
        """
def share_of_the_way(hessian, alpha):
    h = torch.linalg.eigvalsh(hessian)
    return alpha / (h + alpha)
""": "way that is left",
        """
def share_of_the_way(hessian, alpha):
    h = torch.linalg.eigvalsh(hessian).flip(0)
    return h / (h + alpha)
""": "begin with the smallest",
        "share_of_the_way = lambda H, a: H.diagonal() / (H.diagonal() + a)": "no eigenvectors",
        "share_of_the_way = lambda H, a: 1 / (1 + a / 2 / torch.linalg.eigvalsh(H))": "differentiated",
        "share_of_the_way = lambda H, a: 1 / (1 + torch.linalg.eigvalsh(H) * a)": "to zero",
        "share_of_the_way = lambda H, a: (1 / (1 + a / torch.linalg.eigvalsh(H))).mean()": "one share",
    },
}
