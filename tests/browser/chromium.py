"""Debian's chromium without a window, driven through its DevTools pipe: two file descriptors, no package to install.

Messages are JSON, each ended by a zero byte: https://chromedevtools.github.io/devtools-protocol/.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
    "--disable-dev-shm-usage", "--disable-background-networking", "--disable-extensions", "--disable-sync", "--mute-audio",
)  # fmt: skip


def installed():
    """The path of a chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """One page at a time. `errors` and `requests`: what the page said, and asked for, since it was opened."""

    def __init__(self, profile):
        read_end, self._write = os.pipe()
        self._read, write_end = os.pipe()
        command = [installed(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        # the browser reads from 3 and writes to 4, whatever numbers our ends have
        shell = f'exec "$@" 3<&{read_end} 4>&{write_end}'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "chromium", *command], pass_fds=(read_end, write_end), stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(read_end)
        os.close(write_end)
        self._buffer, self._last, self._session = b"", 0, None
        self.errors, self.requests = [], []
        target = next(one for one in self.ask("Target.getTargets")["targetInfos"] if one["type"] == "page")
        self._session = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **params):
        """The answer to one command; events that come before it are kept."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self._last:
                assert "error" not in found, (method, found["error"])
                return found["result"]
            self._event(found)

    def _next(self, seconds=60):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], seconds)
            more = os.read(self._read, 1 << 20) if ready else b""
            assert more, "chromium does not answer"
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(line)

    def _event(self, event):
        params = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                self.errors.append(details.get("exception", {}).get("description", details["text"]))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.errors.append(params["entry"]["text"])
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.errors.append(str(params["args"]))
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])

    def open(self, path, width=1280, height=900, dark=False):
        """Seconds until the page's scripts have run. `path`: of a file, or an address."""
        phone = width < 600
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media="", features=[scheme])
        self.ask("Page.navigate", url="about:blank")
        self.errors, self.requests = [], []
        started = time.perf_counter()
        self.ask("Page.navigate", url=path if isinstance(path, str) else path.absolute().as_uri())
        while self("document.documentElement?.dataset.ready") != "yes":
            assert time.perf_counter() - started < 30 and not self.errors, self.errors
            time.sleep(0.02)
        return time.perf_counter() - started

    def __call__(self, code):
        """The value of an expression, as JSON; a promise is waited for."""
        found = self.ask("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]["exception"].get("description")
        return found["result"].get("value")

    def set(self, name, value):
        """Choose or type in a field, as a user would: its events are sent."""
        self(
            f"(field => {{ field.value = {json.dumps(value)}; for (const name of ['input', 'change']) "
            f"field.dispatchEvent(new Event(name, {{ bubbles: true }})); }})(document.getElementById({json.dumps(name)}))"
        )

    def click(self, selector):
        self(f"document.querySelector({json.dumps(selector)}).click()")

    def press(self, key, code):
        for kind in ("rawKeyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def picture(self, path, *, whole=True):
        shot = self.ask(
            "Page.captureScreenshot", format="png", captureBeyondViewport=whole, **self._clip(whole)
        )
        path.write_bytes(base64.b64decode(shot["data"]))

    def _clip(self, whole):
        if not whole:
            return {}
        size = self("({width: innerWidth, height: Math.min(document.documentElement.scrollHeight, 16000)})")
        return {"clip": {"x": 0, "y": 0, "scale": 1, **size}}

    def close(self):
        self._session = None
        os.write(self._write, json.dumps({"id": 0, "method": "Browser.close"}).encode() + b"\0")
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        os.close(self._read)
