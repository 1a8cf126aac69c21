"""A key and the user's texts go to servers that the user named, and to no other."""

import json
from base64 import b64encode
from urllib.parse import quote

import pytest

from stratune.api import compare
from stratune.cli import main
from stratune.comparison.board import Board
from stratune.errors import ArtifactError, ConfigError, RemoteError
from stratune.predictor.manifest import sealed
from stratune.predictor.predictor import Predictor
from stratune.remote.named import named_servers
from stratune.remote.secret import Secret
from stratune.testing import toy_split
from tests.remote.scripted import answers, bodies, fails, says, send, written
from tests.remote.test_asking import TEMPLATE, run, sure

KEY = "sk-canary/7f3a+9b2c4d5e"
OURS, THEIRS = "http://ours:8000/v1", "https://theirs.example/v1"
OPENAI = "https://api.openai.com/v1"
SPEC = {"preset": "zero_shot", "readout": {"template": TEMPLATE}}


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def variables(*addresses):
    return dict(named_servers(addresses).keys)


def test_the_only_server_gets_the_usual_key():
    assert variables(f"{OURS}#m", f"{OURS}#another", "minilm") == {OURS: "OPENAI_API_KEY"}


def test_of_two_hosts_only_openai_gets_its_key_unasked():
    assert variables(f"{OURS}#m", f"{THEIRS}#m") == {OURS: "", THEIRS: ""}
    assert variables(f"{OURS}#m", f"{OPENAI}#m") == {OURS: "", OPENAI: "OPENAI_API_KEY"}


def test_each_server_has_a_key_of_its_own(monkeypatch):
    monkeypatch.setenv("STRATUNE_KEYS", f"{OURS}=OUR_KEY, {THEIRS}/ = THEIR_KEY")
    assert variables(f"{OURS}#m", f"{THEIRS}#m") == {OURS: "OUR_KEY", THEIRS: "THEIR_KEY"}
    assert variables("HTTP://OURS:8000/v1#m")[OURS] == "OUR_KEY"


@pytest.mark.parametrize("wrong", [f"{OURS}={KEY}", f"{KEY}", f"{OURS} OUR_KEY", f"ours={KEY}"])
def test_a_key_in_place_of_its_name_is_refused_unseen(monkeypatch, wrong):
    monkeypatch.setenv("STRATUNE_KEYS", wrong)
    with pytest.raises(ConfigError) as caught:
        named_servers()
    assert str(caught.value) == "STRATUNE_KEYS: entry 1 is not URL=NAME_OF_A_VARIABLE"


def test_two_servers_of_one_comparison_never_see_the_other_ones_key(scripted, tmp_path, monkeypatch, key):
    one, two = scripted(sure), scripted(sure)
    monkeypatch.setenv("STRATUNE_KEYS", f"{two.url}=SECOND")
    monkeypatch.setenv("SECOND", "second-key")
    board = comparison(tmp_path, one, two)
    assert [row["status"] for row in board.rows] == ["ok"] * 4
    assert set(one.keys) == {"Bearer none"} and set(two.keys) == {"Bearer second-key"}


def comparison(tmp_path, *servers):
    rows = [
        {"text": text, "label": label}
        for part in toy_split().parts.values()
        for text, label in zip(part["text"], part["label"], strict=True)
    ]
    strategies = ["majority", SPEC, {"preset": "ensemble", "of": ["majority", "zero_shot"]}]
    llms = [f"{server.url}#tiny" for server in servers]
    return compare(rows, strategies=strategies, llms=llms, out=tmp_path / "out", progress=False)


# -- a model folder names a server


@pytest.fixture
def strangers(scripted, tmp_path):
    """(server, folder of a model on it), as somebody else sends one."""
    remote = scripted(sure)
    result, folder = run(remote, tmp_path, {"preset": "zero_shot"})
    assert result.error is None
    remote.keys.clear()
    return remote, folder / "model"


def rows_in(path):
    path.write_text("text\nmy private text about a cat\n")
    return path


def test_a_strangers_folder_gets_neither_key_nor_text(strangers, tmp_path, monkeypatch, capsys, key):
    remote, folder = strangers
    rows, out = rows_in(tmp_path / "rows.csv"), tmp_path / "answers.csv"
    ask(monkeypatch, "predict", folder, rows, "-o", out, "--quiet", code=2)
    line = capsys.readouterr().err
    assert remote.keys == [] and not out.exists()
    assert line.count("\n") == 1 and f"--allow-server {remote.url}" in line and str(folder) in line


def test_a_server_that_the_user_allows_is_asked(strangers, tmp_path, monkeypatch, key):
    remote, folder = strangers
    rows, out = rows_in(tmp_path / "rows.csv"), tmp_path / "answers.csv"
    ask(monkeypatch, "predict", folder, rows, "-o", out, "--quiet", "--allow-server", remote.url, code=0)
    assert remote.keys == [f"Bearer {KEY}"] and "animal" in out.read_text()


def ask(monkeypatch, *arguments, code):
    monkeypatch.setattr("sys.argv", ["stratune", *map(str, arguments)])
    try:
        main()
    except SystemExit as stopped:
        assert (stopped.code or 0) == code
    else:
        assert code == 0


def test_another_address_than_the_allowed_one_is_refused(strangers, key):
    remote, folder = strangers
    for other in (f"{remote.url}x", remote.url.replace("http", "https"), OURS):
        with pytest.raises(ConfigError, match="--allow-server"):
            Predictor.load(folder, allow_server=other)
    with pytest.raises(ConfigError, match="'localhost' is not the address of a server"):
        Predictor.load(folder, allow_server="localhost")


def test_a_server_named_in_the_environment_is_allowed(strangers, monkeypatch, key):
    remote, folder = strangers
    monkeypatch.setenv("STRATUNE_KEYS", f"{remote.url}=OUR_KEY")
    monkeypatch.setenv("OUR_KEY", "our-key")
    Predictor.load(folder).predict(["the cat runs about unseen"])
    assert remote.keys == ["Bearer our-key"]


def test_an_allowed_model_saves_itself_again(strangers, tmp_path):
    remote, folder = strangers
    again = Predictor.load(folder, allow_server=f"{remote.url}#tiny").save(tmp_path / "again")
    with pytest.raises(ConfigError, match="--allow-server"):
        Predictor.load(again)


def test_of_the_settings_in_a_folder_only_manners_are_taken_over(strangers):
    """Rate and patience travel with a model; which server is asked, and with which key, never."""
    remote, folder = strangers
    manifest = json.loads((folder / "stratune.json").read_text())
    manifest["remote"] = {"attempts": 99, "keys": {remote.url: "HOME"}, "allow_server": remote.url}
    manifest["server"] |= {"allow": True, "variable": "HOME"}
    manifest["server"]["retry_policy"] |= {"attempts": 3, "per_minute": 6000}
    (folder / "stratune.json").write_text(json.dumps(sealed(manifest)))
    with pytest.raises(ConfigError, match="--allow-server"):
        Predictor.load(folder)
    model = Predictor.load(folder, allow_server=remote.url).model
    policy = model.language_model.server.retry_policy
    assert (policy.attempts, policy.per_minute) == (3, 6000)
    Predictor.load(folder, allow_server=remote.url).predict(["a horse that nobody saw"])
    assert remote.keys == ["Bearer none"]


@pytest.mark.parametrize("wrong", [{"timeout": 1e9}, {"workers": "many"}, {"speed": 3}])
def test_manners_that_make_no_sense_are_damage(strangers, wrong):
    remote, folder = strangers
    manifest = json.loads((folder / "stratune.json").read_text())
    manifest["server"]["retry_policy"] |= wrong
    (folder / "stratune.json").write_text(json.dumps(sealed(manifest)))
    with pytest.raises(ArtifactError, match=r"stratune.json: damaged \(server.retry_policy: "):
        Predictor.load(folder, allow_server=remote.url)


def test_an_ensemble_asks_for_its_members_servers(scripted, tmp_path):
    remote = scripted(sure)
    board = comparison(tmp_path, remote)
    (folder,) = (tmp_path / "out" / "runs").glob("ensemble@*/model")
    with pytest.raises(ConfigError, match="--allow-server"):
        Predictor.load(folder)
    assert Predictor.load(folder, allow_server=remote.url).predict(["the cat"])[0].label == "animal"
    assert board.model("ensemble").predict(["the cat"])[0].label == "animal"  # the user named it there
    with pytest.raises(ConfigError, match="--allow-server"):
        Board.load(tmp_path / "out").model("ensemble")
    there = Board.load(tmp_path / "out", allow_server=remote.url)
    assert there.model("ensemble").predict(["the cat"])[0].label == "animal"


# -- what a server does with them


def test_a_redirect_takes_neither_key_nor_text_along(scripted, asking, key):
    remote, other = scripted(), scripted()
    for status in (301, 307, 308):
        remote.script("a", answers(status, "", {"Location": f"{other.url}/completions"}))
        with pytest.raises(RemoteError, match=f"{status}.*sends the request on to another address"):
            asking(remote).ask("plain", bodies("a"))
    assert other.log == [] and other.keys == []


def test_what_is_for_openai_is_not_sent_to_others(scripted, asking, monkeypatch, key):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-ours")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-ours")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gateway: gateway-ours\nAuthorization: Bearer ours")
    remote, seen = scripted(), {}
    remote.script("a", lambda handler: seen.update(handler.headers))
    asking(remote).ask("plain", bodies("a"))
    assert seen["Authorization"] == f"Bearer {KEY}" and not any("ours" in value for value in seen.values())


FORMS = {
    "plain": KEY,
    "url": quote(KEY, safe=""),
    "base64": b64encode(f"Bearer {KEY}".encode()).decode(),
    "hex": KEY.encode().hex(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_server_that_echoes_the_key_is_not_repeated(form, scripted, asking, own_cache, key):
    echoed = FORMS[form]
    remote = scripted(lambda body: written(f"you are {echoed}"))
    (answer,) = asking(remote).ask("plain", bodies("fine"))
    remote.script("bad", fails(400, f"who is {echoed}"))
    with pytest.raises(RemoteError) as caught:
        asking(remote).ask("plain", bodies("bad"))
    remote.models = [f"model-of-{echoed}"]
    remote.script("model", lambda handler: send(handler, 404, {}))
    with pytest.raises(RemoteError) as unknown:
        asking(remote).ask("plain", bodies("model"))
    files = b"".join(path.read_bytes() for path in own_cache.rglob("*") if path.is_file()).decode("latin1")
    for said in (json.dumps(answer.response), str(caught.value), str(unknown.value), files):
        assert "***" in said and "canary" not in said
        assert (
            echoed.removeprefix("Bearer ") not in said and b64encode(KEY.encode())[3:-4].decode() not in said
        )


def test_a_key_that_is_escaped_in_json_is_masked(scripted, asking, key):
    remote = scripted()
    remote.script("a", says('{"choices": [{"text": "it is ' + KEY.replace("-", "\\u002d") + '"}]}'))
    (answer,) = asking(remote).ask("plain", bodies("a"))
    assert answer.response == {"choices": [{"text": "it is ***"}]}


def test_a_short_key_is_masked_where_it_is_a_word():
    assert Secret("a1b2").masked("key a1b2, and a1b2c3") == "key ***, and a1b2c3"
    assert Secret("none").masked("none of it") == "none of it"
    assert "a1b2" not in repr(Secret("a1b2"))
