"""The page at / in a real browser: what is typed is answered, words are shaded, a CSV comes back."""

import csv
import io
import json
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from datasets import Dataset
from starlette.testclient import TestClient

from stratune.data.split import assemble
from stratune.fitting.fit import fit
from stratune.predictor.predictor import Predictor
from stratune.serving.app import create_app
from stratune.serving.keys import ApiKey
from stratune.serving.limits import Limits
from stratune.serving.playground import playground
from stratune.serving.process import address_of, bound
from stratune.serving.refusals import Refused
from stratune.serving.served import Served, ServedModel
from stratune.task import Task
from stratune.testing import toy_split
from stratune.testing.toy import toy_split_of
from stratune.train.settings import Budget
from tests.browser.chromium import Chromium, installed
from tests.helpers import trained

AXE = Path(__file__).parents[1] / "browser" / "vendor" / "axe.min.js"
EVIL = "<img src=x onerror=document.title='taken'>"
TEXT = "the cat saw rain"

in_chromium = pytest.mark.skipif(
    installed() is None, reason="no chromium is installed, nor could `make test` install one"
)


def test_the_page_lets_no_other_script_run_and_loads_nothing():
    document, headers = playground()
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and "unsafe" not in policy
    assert "https://" not in document and "innerHTML" not in document.replace("nothing sets innerHTML", "")
    assert document.count("<script") == 1 and document.count("<style") == 1


@pytest.fixture(scope="module")
def served(folders):
    names = {"lora": folders.lora, "words": folders.words, "values": folders.values, "pairs": folders.pairs}
    return Served.load(names, device="cpu")


def test_the_page_needs_no_key_and_all_else_does(served):
    with TestClient(create_app(served, key=ApiKey("sesame"))) as client:
        page = client.get("/")
        assert page.status_code == 200 and page.text == playground()[0]
        assert page.headers["content-security-policy"] == playground()[1]["content-security-policy"]
        assert client.get("/v1/models").status_code == client.get("/docs").status_code == 401
        assert client.post("/explain", content=b'{"text": "a"}').status_code == 401


@contextmanager
def running(served, *given, **options):
    """The address of a server in a thread of this process, and its app."""
    app = create_app(served, *given, **options)
    with bound("127.0.0.1", 0) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield address_of(listening) + "/", app
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    chromium = Chromium(tmp_path_factory.mktemp("profile"))
    yield chromium
    chromium.close()


@pytest.fixture(scope="module")
def address(served):
    with running(served) as (found, _):
        yield found


@pytest.fixture
def page(browser, address):
    browser.open(address)
    return browser


def until(browser, code, seconds=30):
    end = time.monotonic() + seconds
    while not (found := browser(code)):
        assert time.monotonic() < end, (code, browser("document.body.innerText"), browser.errors)
        time.sleep(0.03)
    return found


def choose(browser, *names):
    browser(
        f"document.querySelectorAll('#models input').forEach(box => {{ if (box.checked !== {json.dumps(names)}"
        ".includes(box.value)) box.click(); })"
    )


def answer(browser, text, *, pair=None):
    browser.set("text", text)
    if pair is not None:
        browser.set("pair", pair)
    before = browser("document.getElementById('cards').dataset.done ?? '0'")
    browser.click("#answer")
    until(browser, f"(document.getElementById('cards').dataset.done ?? '0') !== {json.dumps(before)}")


def said(browser, selector):
    return browser(f"[...document.querySelectorAll({json.dumps(selector)})].map(one => one.textContent)")


@in_chromium
def test_two_models_answer_side_by_side(page, address, served):
    choose(page, "lora", "words")
    answer(page, TEXT)
    assert said(page, "#cards .model") == ["lora", "words"]
    for k, name in enumerate(("lora", "words")):
        (found,) = served.models[name].predictor.predict([TEXT])
        card = f"#cards > :nth-child({k + 1})"
        order = sorted(found.scores, key=lambda label: -found.scores[label])
        assert said(page, f"{card} .answer") == [found.label]
        assert said(page, f"{card} .name") == order
        shown = [float(one) for one in said(page, f"{card} .number")]
        assert shown == pytest.approx([found.scores[label] for label in order], abs=0.02)
        widths = page(f"[...document.querySelectorAll('{card} .track i')].map(one => one.style.width)")
        assert [float(one[:-1]) / 100 for one in widths] == pytest.approx(shown, abs=0.001)
    left, right = page(
        "[...document.querySelectorAll('#cards > *')].map(one => one.getBoundingClientRect().left)"
    )
    assert left < right
    spoken = page("document.querySelector('[aria-live]').textContent")
    assert "lora: " in spoken and "words: " in spoken
    assert page.errors == [] and {one.partition("/")[2].partition("/")[2].partition("/")[0] for one in page.requests} == {
        address.split("/")[2]
    }  # fmt: skip


@in_chromium
def test_words_are_shaded_by_what_they_do(page, served):
    choose(page, "words")
    answer(page, f"\U0001f642 {TEXT}")
    with TestClient(create_app(served)) as client:
        body = {"text": f"\U0001f642 {TEXT}", "model": "words"}
        words = client.post("/explain", content=json.dumps(body)).json()["words"]
    most = max(abs(one["change"]) for one in words)
    wanted = [
        "" if abs(one["change"]) < most / 50 else "for" if one["change"] > 0 else "against" for one in words
    ]
    assert said(page, ".read span") == ["\U0001f642", *TEXT.split()]
    assert page("[...document.querySelectorAll('.read span')].map(one => one.className)") == wanted
    assert {"for", "against"} <= set(wanted)
    line = "[...document.querySelectorAll('.read span')].map(one => getComputedStyle(one).textDecorationLine)"
    assert page(line) == ["underline" if one == "against" else "none" for one in wanted]
    assert said(page, ".read") == [f"\U0001f642 {TEXT}"] and "Shapley" in said(page, ".legend")[0]
    numbers = [float(one.replace("\u2212", "-")) for one in said(page, ".changes tbody td:last-child")]
    assert numbers == pytest.approx(
        sorted((one["change"] for one in words), key=lambda one: -abs(one)), abs=6e-4
    )


@in_chromium
def test_values_pairs_and_a_key_of_the_keyboard(page, served):
    choose(page, "values", "pairs")
    assert page("!document.getElementById('pair-field').hidden")
    page.set("text", "rain")
    page.set("pair", "the old cat")
    page("document.getElementById('text').focus()")
    page.ask(
        "Input.dispatchKeyEvent",
        type="rawKeyDown",
        key="Enter",
        code="Enter",
        windowsVirtualKeyCode=13,
        modifiers=2,
    )
    until(page, "document.getElementById('cards').dataset.done === '1'")
    value, label = said(page, ".answer")
    assert float(value) == pytest.approx(
        served.models["values"].predictor.predict(["rain"])[0].value, rel=1e-3
    )
    assert label == served.models["pairs"].predictor.predict([("rain", "the old cat")])[0].label
    assert len(said(page, "#cards > :nth-child(2) .read")) == 2  # both texts of the pair
    choose(page, "values")
    assert page("document.getElementById('pair-field').hidden") and page.errors == []


@in_chromium
def test_nothing_is_asked_without_a_text_or_a_model(page):
    before = len(page.requests)
    page.click("#answer")
    assert said(page, "#error") == ["Type a text first."]
    choose(page)
    page.click("#answer")
    assert said(page, "#error") == ["Choose a model."] and len(page.requests) == before


@in_chromium
def test_of_a_set_those_given_are_marked(browser):
    model = trained("tfidf", None, split=toy_split_of("multilabel")).predictor
    with running(Served({"sets": ServedModel("sets", model)})) as (address, _):
        browser.open(address)
        answer(browser, "rain snow storm")
        (found,) = model.predict(["rain snow storm"])
        given = found.label.split(",")
        names = said(browser, ".bars .name")
        assert given and [one for one in names if one.startswith("\u2713 ")] == [
            f"\u2713 {label}"
            for label in sorted(found.scores, key=lambda label: -found.scores[label])
            if label in given
        ]


@in_chromium
def test_hostile_labels_names_and_texts_stay_texts(browser):
    plain = toy_split()
    tables = {
        part: Dataset.from_dict(
            {**table.to_dict(), "label": [EVIL if one == "animal" else one for one in table["label"]]}
        )
        for part, table in plain.parts.items()
    }
    split = assemble(tables, Task(labels=(EVIL, "weather")))
    model = trained("tfidf", None, split=split).predictor
    with running(Served({EVIL: ServedModel(EVIL, model)})) as (address, _):
        browser.open(address)
        answer(browser, f"{EVIL} cat dog horse")
        send(browser, f"{EVIL}.csv", f"{EVIL}\nx\n")
        until(browser, "document.getElementById('table-error').textContent")
        assert said(browser, ".answer") == [EVIL] and said(browser, ".model") == [EVIL]
        assert said(browser, ".read") == [f"{EVIL} cat dog horse"]
        assert EVIL in said(browser, "#table-error")[0]
        assert browser("document.querySelectorAll('img').length") == 0
        assert browser("document.title") == "stratune playground" and browser.errors == []


def send(browser, name, content):
    """Choose a file, as a user would; text or bytes."""
    data = list(content.encode() if isinstance(content, str) else content)
    browser(
        f"(() => {{ const files = new DataTransfer(); files.items.add(new File([new Uint8Array({data})], "
        f"{json.dumps(name)})); const field = document.getElementById('csv'); field.files = files.files; "
        "field.dispatchEvent(new Event('change')); })()"
    )


def downloaded(browser, folder, name):
    until(browser, "document.querySelectorAll('.download').length")
    path = folder / name
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, list(folder.iterdir())
        time.sleep(0.05)
    return path.read_bytes()


@in_chromium
def test_a_file_comes_back_answered(browser, served, tmp_path):
    """Semicolons, quotes, line breaks, CRLF, a byte order mark, a blank line: each cell as it was."""
    texts = ["the cat\nsaw rain", 'a "quiet"; dog', "=1+1", "+snow", "", "the horse"] * 75
    rows = [[str(k), text, "@x" if k % 2 else "é,"] for k, text in enumerate(texts)]
    stream = io.StringIO()
    csv.writer(stream, delimiter=";", lineterminator="\r\n").writerows([["id", "text", "more"], *rows])
    with running(served, Limits(most_rows=150)) as (address, app):
        # the queue is full, once
        service, refused = app.state.service, []
        answer_ = service.answer

        async def busy(*given, **options):
            if not refused:
                refused.append(True)
                raise Refused(429, "wait", after=1)
            return await answer_(*given, **options)

        service.answer = busy
        browser.open(address)
        browser.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
        browser.set("table-model", "words")
        assert said(browser, "#columns") == ["a column text"]
        send(browser, "mine.csv", b"\xef\xbb\xbf" + stream.getvalue().encode() + b"\r\n")
        found = downloaded(browser, tmp_path, "mine-answered.csv")
        asked = [one for one in browser.requests if one.endswith("/predict")]
    assert refused and len(asked) == 7  # 429; 200 rows are too many: 413; 200 again in parts of 100: 5
    assert found.startswith(b"\xef\xbb\xbf") and found.count(b"\r\n") == len(rows) + 1
    model: Predictor = served.models["words"].predictor
    header, *back = csv.reader(io.StringIO(found.decode("utf-8-sig"), newline=""), delimiter=";")
    assert header == ["id", "text", "more", "prediction", *(f"score_{label}" for label in model.labels)]
    assert [row[:3] for row in back] == rows
    for row, one in zip(back, model.predict(texts), strict=True):
        assert row[3] == one.label
        assert [float(cell) for cell in row[4:]] == pytest.approx(list(one.scores.values()), abs=1e-6)


@in_chromium
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("text\n", "the file has a header and no rows"),
        ("words,more\na,b\n", 'no column "text"; the file has words, more'),
        ("text,text\na,b\n", 'the column "text" is there 2 times'),
        ("text,prediction\na,b\n", 'the file has a column "prediction" already'),
        ("text\tmore\na\n", "row 1 has 1 cells, and the header 2"),
        ('text\na\n"b\n', "line 3: a quote is opened and never closed"),
        (b"text\ncaf\xe9\n", "this file is not UTF-8; save it as CSV UTF-8"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(page, content, message):
    send(page, "bad.csv", content)
    until(page, "document.getElementById('table-error').textContent")
    assert said(page, "#table-error") == [f"bad.csv: {message}"] and page.errors == []
    assert not [one for one in page.requests if one.endswith("/predict")]


@in_chromium
def test_a_file_can_be_dropped_and_stopped(browser, served):
    with running(served, Limits(batch_rows=1)) as (address, app):
        batcher = app.state.service._batchers["words"]
        slow, batcher._answer = batcher._answer, lambda *given: (time.sleep(0.05), slow(*given))[1]
        browser.open(address)
        browser.set("table-model", "words")
        browser(
            "(() => { const files = new DataTransfer(); files.items.add(new File(['text\\n' + 'cat\\n'.repeat(1000)], 'a.csv'));"
            "document.getElementById('table').dispatchEvent(new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true })); })()"
        )
        until(browser, "!document.getElementById('stop').hidden")
        assert browser("document.getElementById('progress').max") == 1000
        browser.click("#stop")
        until(browser, "document.getElementById('table-state').textContent === 'Stopped.'")
        assert browser("document.getElementById('progress').hidden && document.getElementById('stop').hidden")
        assert said(browser, ".download") == said(browser, "#table-error:not(:empty)") == []


@in_chromium
def test_what_costs_money_waits_for_a_click(browser, served, monkeypatch):
    about = ServedModel.about.fget
    monkeypatch.setattr(ServedModel, "about", property(lambda one: {**about(one), "paid": True}))
    with running(Served({"words": served.models["words"]})) as (address, _):
        browser.open(address)
        answer(browser, TEXT)
        assert said(browser, ".read") == [] and not [
            one for one in browser.requests if one.endswith("/explain")
        ]
        browser.click("#cards button")
        until(browser, "document.querySelectorAll('.read').length")
        assert said(browser, ".read") == [TEXT] and said(browser, "#cards button") == []


@in_chromium
def test_chunks_and_the_prompt_are_shown(browser, tiny):
    split = toy_split()
    long = {"way": "chunk", "window": 24, "aggregate": "mean"}
    template = {"row": "{text}", "answer": ": {label}", "chat": False}
    asked = {"preset": "zero_shot", "readout": {"template": template}}
    models = {
        "chunks": trained({"preset": "probe", "readout": {"long": long}}, tiny("bert")).predictor,
        "asked": fit(asked, str(tiny("llama")), split.task, split, Budget(epochs=1)),
    }
    text = "we heard the old cat near the house and then it was rain " * 5
    with running(Served({name: ServedModel(name, one) for name, one in models.items()})) as (address, _):
        browser.open(address)
        answer(browser, text)
        evidence = models["chunks"].score([text]).evidence[0]
        assert said(browser, ".chunks p") == [text[one.start : one.end].strip() for one in evidence]
        assert said(browser, "#cards > :nth-child(2) details pre") == [
            models["asked"].model.prompt(text, None)
        ]
        assert browser.errors == []


@in_chromium
def test_a_key_is_asked_for_and_kept_in_memory_alone(browser, served):
    with running(served, key=ApiKey("sesame")) as (address, _):
        browser.ask("Page.navigate", url=address)  # not `open`: that the server said 401 is an error to it
        until(browser, "document.documentElement?.dataset.ready === 'yes'")
        browser.requests.clear()
        assert browser("document.getElementById('all').hidden && !document.getElementById('key-form').hidden")
        browser.set("key", "wrong")
        browser.click("#key-form button")
        assert (
            until(browser, "document.getElementById('failed').textContent")
            == "The server does not take this key."
        )
        browser.set("key", "sesame")
        browser.click("#key-form button")
        until(browser, "!document.getElementById('all').hidden")
        answer(browser, TEXT)
        assert len(said(browser, ".answer")) == 4
        assert (
            browser(
                "document.getElementById('key').value + document.cookie + localStorage.length + sessionStorage.length"
            )
            == "00"
        )
        assert not [one for one in browser.requests if "sesame" in one]


@in_chromium
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(browser, address, dark):
    browser.open(address, dark=dark)
    choose(browser, "lora", "words")
    answer(browser, TEXT)
    browser("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    browser(AXE.read_text(encoding="utf-8") + "; 0")
    found = browser(
        "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa'] }).then(found => found.violations.map("
        "one => [one.id, one.nodes.map(node => node.target.join(' ') + ' ' + node.failureSummary)]))"
    )
    assert found == [] and browser.errors == []


@in_chromium
def test_a_phone_has_one_column_and_large_targets(browser, address):
    browser.open(address, width=360, height=740)
    choose(browser, "lora", "words")
    answer(browser, f"{TEXT} {'x' * 300}")
    browser("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert browser("document.documentElement.scrollWidth") <= 360
    lefts = browser(
        "[...document.querySelectorAll('#cards > *')].map(one => one.getBoundingClientRect().left)"
    )
    assert len(lefts) == 2 and len(set(lefts)) == 1
    small = browser(
        "[...document.querySelectorAll('button, a, select, textarea, summary, label.check, input:not([type=checkbox])')]"
        ".filter(one => one.offsetParent && one.getBoundingClientRect().height < 44).map(one => one.outerHTML)"
    )
    assert small == []
