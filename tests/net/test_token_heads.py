"""Losses of language modelling, against transformers' own, and what is hidden of a text."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from stratune.backbone.load import load_backbone
from stratune.net.net import Net
from stratune.net.token_heads import HiddenTokens, NextTokens
from stratune.objective.token_loss import TokenLoss
from stratune.tokens.batches import collate
from stratune.tokens.reader import TextReader
from stratune.tokens.tokens import TextLimit

TEXTS = [
    "the cat saw the rain again",
    "snow",
    "we heard a long song near the old house and then it was quiet",
]


def net_of(folder, head):
    backbone = load_backbone(str(folder), language_model=True)
    net = Net(backbone, head(backbone), TokenLoss()).eval()
    tokens = TextReader(backbone, TextLimit(64, None, 0)).tokens(TEXTS, None)
    return net, collate(tokens, range(3), backbone.tokenizer.pad_token_id)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_each_token_after_those_before_it_is_transformers_loss(family, tiny):
    net, batch = net_of(tiny(family), NextTokens)
    found = net(batch)[:, 0]
    for row in range(3):
        ids = batch.ids[row][batch.mask[row] == 1][None]
        own = (
            net.backbone.language_model(input_ids=ids, labels=ids).loss
            if ids.shape[1] > 1
            else torch.zeros(())
        )
        assert found[row].item() == pytest.approx(own.item(), abs=1e-5)


class Spied:
    """A net that keeps what it was shown."""

    def __init__(self, net):
        self.net, self.shown = net, None

    def encode(self, batch):
        self.shown = batch.ids
        return self.net.encode(batch)


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert"])
def test_hidden_tokens_have_the_loss_of_the_family_s_own_head(family, tiny):
    net, batch = net_of(tiny(family, masked=True), HiddenTokens)
    spied = Spied(net)
    found = net.head(spied, batch)[:, 0]
    mask_id = net.backbone.tokenizer.mask_token_id
    logits = net.backbone.language_model(input_ids=spied.shown, attention_mask=batch.mask).logits
    each = F.cross_entropy(logits.transpose(1, 2), batch.ids, reduction="none")
    changed = spied.shown != batch.ids
    assert (spied.shown[changed] == mask_id).any()
    # A row whose asked tokens were all shown as masks or others: its loss is the mean over these.
    only = [row for row in range(3) if changed[row].sum() == 1 and batch.mask[row].sum() <= 5]
    assert only, "no short row with one hidden token"
    for row in only:
        assert found[row].item() == pytest.approx(each[row][changed[row]].item(), abs=1e-5)


def test_special_tokens_and_padding_are_never_hidden_and_each_text_has_one_that_is(tiny):
    net, batch = net_of(tiny("bert", masked=True), HiddenTokens)
    special = torch.tensor(net.backbone.tokenizer.all_special_ids)
    fixed = torch.isin(batch.ids, special) | (batch.mask == 0)
    net.train()
    asked = []
    for seed in range(50):
        torch.manual_seed(seed)
        spied = Spied(net)
        loss = net.head(spied, batch)
        assert torch.equal(spied.shown[fixed], batch.ids[fixed])
        assert bool((loss > 0).all())
        asked.append((spied.shown != batch.ids)[2].float().sum().item())
    share = sum(asked) / len(asked) / (~fixed)[2].sum().item()
    assert 0.08 < share < 0.25  # 15 %, of which one in ten is shown as it is, and one always


def test_evaluation_asks_for_the_same_tokens_each_time(tiny):
    net, batch = net_of(tiny("bert", masked=True, hidden_dropout_prob=0.0), HiddenTokens)
    torch.manual_seed(1)
    first = net(batch)
    torch.manual_seed(2)
    assert torch.equal(first, net(batch))
    net.train()
    assert not torch.equal(net(batch), net(batch))


@pytest.mark.parametrize(("family", "head"), [("bert", HiddenTokens), ("llama", NextTokens)])
def test_gradients_reach_the_embeddings_and_the_head(family, head, tiny):
    net, batch = net_of(tiny(family, masked=True) if family == "bert" else tiny(family), head)
    net.backbone.model.requires_grad_(True)
    net.train()
    torch.manual_seed(0)
    net(batch).sum().backward()
    assert net.backbone.model.get_input_embeddings().weight.grad.abs().sum() > 0
    assert all(p.grad is not None for p in net.head.parameters())


def test_a_text_without_tokens_has_no_loss(tiny):
    net, batch = net_of(tiny("bert", masked=True), HiddenTokens)
    empty = replace(batch, ids=batch.ids[:, :1], mask=batch.mask[:, :1], types=None)
    assert net(empty).tolist() == [[0.0], [0.0], [0.0]]
