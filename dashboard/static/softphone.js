// The agent's telephone in the browser. Two kinds behind one face:
//
//   open()                     get ready; called from a click, because browsers allow sound only then
//   connect({contact, fence})  dial in to meet the caller of that contact
//   hangUp() mute(on) close()
//   onstate(state, words)      "off" | "ready" | "dialing" | "in_call" | "failed"
//   oncaption(line)            {at_ms, kind, text}: what is said on the line, where it is known

async function passport() {
  const answer = await fetch("/api/v1/softphone", { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error("no token for the softphone");
  return answer.json();
}

class Phone {
  onstate = () => {};
  oncaption = () => {};
  canMute = false;
  state = "off";

  say(state, words = "") {
    this.state = state;
    this.onstate(state, words);
  }
  async open() {}
  async connect() {}
  hangUp() {}
  mute() {}
  close() {}
}

/** Twilio's Voice SDK. It dials in; it is never rung, because a background tab goes deaf to ringing. */
class TwilioPhone extends Phone {
  canMute = true;

  constructor(tone) {
    super();
    this.tone = tone;
  }

  async open() {
    if (this.device) return;
    try {
      const { token } = await passport();
      const names = ["incoming", "outgoing", "disconnect", "dtmfs", "dtmfh", ...[..."0123456789"].map((n) => `dtmf${n}`)];
      this.device = new Twilio.Device(token, {
        closeProtection: true,
        logLevel: "error",
        sounds: Object.fromEntries(names.map((name) => [name, this.tone])),
      });
      this.device.on("tokenWillExpire", async () => this.device.updateToken((await passport()).token));
      this.device.on("error", (error) => this.say("failed", error.message));
      this.say("ready");
    } catch (error) {
      this.device = undefined;
      this.say("failed", String(error.message || error));
    }
  }

  async connect(params) {
    await this.open();
    if (!this.device) return;
    this.say("dialing");
    try {
      this.call = await this.device.connect({ params });
      this.call.on("accept", () => this.say("in_call"));
      this.call.on("disconnect", () => this.#ended());
      this.call.on("cancel", () => this.#ended());
      this.call.on("error", (error) => this.say("failed", error.message));
    } catch (error) {
      this.say("failed", String(error.message || error));
    }
  }

  #ended() {
    this.call = undefined;
    this.say("ready");
  }
  hangUp() { this.call?.disconnect(); }
  mute(on) { this.call?.mute(on); }
  close() { this.device?.destroy(); this.device = undefined; }
}

/** The phone network's double: no sound, but its transcript tells what is said. */
class DoublePhone extends Phone {
  async open() {
    if (this.url) return;
    try {
      ({ url: this.url } = await passport());
      this.say("ready");
    } catch (error) {
      this.say("failed", String(error.message || error));
    }
  }

  async connect(params) {
    await this.open();
    if (this.url === undefined) return;
    this.say("dialing");
    const kept = JSON.parse(sessionStorage.getItem("surgeline.leg") || "{}");
    try {
      const same = kept.contact === params.contact && kept.fence === params.fence;
      const sid = same ? kept.sid : await this.#dial(params);
      sessionStorage.setItem("surgeline.leg", JSON.stringify({ ...params, sid }));
      this.#follow(sid);
      this.say("in_call");
    } catch (error) {
      this.say("failed", String(error.message || error));
    }
  }

  async #dial(params) {
    const { token } = await passport();
    const answer = await fetch(`${this.url}/_double/clients/connect`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token, params }),
    });
    if (!answer.ok) throw new Error(`the phone network refused the call (${answer.status})`);
    return (await answer.json()).sid;
  }

  #follow(sid) {
    this.events?.close();
    this.sid = sid;
    this.events = new EventSource(`${this.url}/_double/calls/${encodeURIComponent(sid)}/events`);
    const heard = (event) => {
      let line;
      try { line = JSON.parse(event.data); } catch { return; }
      if (line.text) this.oncaption(line);
      if (line.status === "completed" || line.kind === "ended") this.#ended();
    };
    this.events.onmessage = heard;
    for (const name of ["line", "state", "ended"]) this.events.addEventListener(name, heard);
    this.events.onerror = () => this.#ask(sid);
  }

  /** The transcript broke off for good: is the call still known? (A page that is left hears that too.) */
  async #ask(sid) {
    if (this.events?.readyState !== EventSource.CLOSED) return;
    const answer = await fetch(`${this.url}/_double/calls/${encodeURIComponent(sid)}`).catch(() => null);
    if (answer?.status === 404 && this.sid === sid) this.#ended();
  }

  #ended() {
    this.events?.close();
    this.sid = undefined;
    sessionStorage.removeItem("surgeline.leg");
    if (this.state !== "off") this.say("ready");
  }

  hangUp() {
    const sid = this.sid;
    if (!sid) return;
    this.#ended();
    fetch(`${this.url}/_double/calls/${encodeURIComponent(sid)}/hang_up`, { method: "POST" }).catch(() => {});
  }

  close() { this.events?.close(); }
}

export function softphone(kind, tone) {
  if (kind === "twilio") return new TwilioPhone(tone);
  if (kind === "double") return new DoublePhone();
  return new Phone();
}
