import { create } from "@bufbuild/protobuf";
import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { act, cleanup, render, screen } from "@testing-library/react";
import { encodeQR } from "qr";
import decodeQR from "qr/decode.js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Client } from "@creavio/client";
import { RecordSchema } from "@creavio/client/person/v1/record";
import { ExportService } from "@creavio/client/gateway/v1/export_service";
import { type Settings, SettingsSchema, SettingsService, Theme } from "@creavio/client/user/v1/settings_service";

import { agentOf } from "@/account/agent";
import { exported } from "@/account/data";
import { drawn } from "@/account/factor";
import { follow, keep, kept } from "@/account/kept";
import { services } from "@/account/services";
import { ago } from "@/account/times";
import { api } from "@/api/client";
import { leadsAway } from "@/door/errand";
import { requestOf } from "@/door/request";
import { pathOf, placeOf } from "@/route";
import { useAsked } from "@/settings/asked";
import { tell } from "@/stream/heard";
import { chooseTheme, chosenTheme } from "@/ui/theme";

let settings: Settings;
let refused: boolean;
/** What holds the settings back once they were read. */
let held: Promise<void>;
let pages: readonly (readonly string[])[];
let asked: string[];

const transport = createRouterTransport(({ service }) => {
  service(SettingsService, {
    async getSettings() {
      const found = settings;
      await held;
      return found;
    },
    updateSettings(request) {
      if (refused) throw new ConnectError("not now", Code.Unavailable);
      const { updateMask: _, $typeName: __, ...changes } = request;
      settings = create(SettingsSchema, { ...settings, ...(changes as Partial<Settings>) });
      return settings;
    },
  });
  service(ExportService, {
    exportMe({ pageToken }) {
      asked.push(pageToken);
      const at = Number(pageToken);
      const page = pages[at];
      if (page === undefined) throw new ConnectError("gone", Code.Internal);
      return {
        records: page.map((body) => create(RecordSchema, { service: "chat", kind: "message", content: { body } })),
        nextPageToken: at + 1 < pages.length || refused ? String(at + 1) : "",
      };
    },
  });
});
const platform = api({ service: (described: DescService) => createClient(described, transport) } as unknown as Client);
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

beforeEach(() => {
  // jsdom has no media queries.
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener() {}, removeEventListener() {} }));
  localStorage.clear();
  settings = create(SettingsSchema);
  refused = false;
  held = Promise.resolve();
  pages = [];
  asked = [];
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test.each([
  ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox", "Linux", false],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge", "Windows", false],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", "Safari", "macOS", false],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1", "Chrome", "iPhone", true],
  ["Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome", "Android", true],
  ["python-httpx/0.28.1", "python-httpx", "", false],
  ["", "", "", false],
])("a program is called what people call it: %s", (told, program, system, mobile) => {
  expect(agentOf(told)).toEqual({ program, system, mobile });
});

test.each([
  [10, "now"],
  [90, "1 minute ago"],
  [7300, "2 hours ago"],
  [86_400 * 1.5, "yesterday"],
  [86_400 * 400, "last year"],
  [-50, "now"],
])("what was %d seconds ago is told in words", (seconds, words) => {
  expect(ago(new Date(1_000_000_000_000), 1_000_000_000_000 + seconds * 1000)).toBe(words);
});

test("a camera reads what is drawn", () => {
  const uri = "otpauth://totp/Creavio:ada?secret=RI4HEYM7AB3NP2CVP6DC4MEL2MYJ7F2L&issuer=Creavio";
  const { size, path } = drawn(encodeQR(uri, "raw", { ecc: "medium", border: 4 }));
  const scale = 4;
  const side = size * scale;
  const data = new Uint8Array(side * side * 4).fill(255);
  for (const [, x = "", y = "", length = ""] of path.matchAll(/M(\d+) (\d+)h(\d+)v1H\d+z/g)) {
    for (let across = Number(x) * scale; across < (Number(x) + Number(length)) * scale; across += 1) {
      for (let down = Number(y) * scale; down < (Number(y) + 1) * scale; down += 1) data.fill(0, (down * side + across) * 4, (down * side + across) * 4 + 3);
    }
  }
  expect(decodeQR({ width: side, height: side, data })).toBe(uri);
});

function sink() {
  const state = { text: "", closed: false, aborted: false };
  return {
    state,
    write: async (text: string) => void (state.text += text),
    close: async () => void (state.closed = true),
    abort: async () => void (state.aborted = true),
  };
}

test.each([{ given: [["one", "two"], [], ["three"]] }, { given: [[]] }])("everything kept is one JSON document, page by page: $given", async ({ given }) => {
  pages = given;
  const file = sink();
  const counts: number[] = [];
  const count = await exported(services(platform), file, (one) => counts.push(one), new AbortController().signal);
  expect(count).toBe(given.flat().length);
  expect((JSON.parse(file.state.text) as { content: { body: string } }[]).map((one) => one.content.body)).toEqual(given.flat());
  expect(counts.at(-1)).toBe(given.flat().length);
  expect(file.state).toMatchObject({ closed: true, aborted: false });
});

test("what cannot be saved whole is not left in part", async () => {
  pages = [["one"]];
  refused = true; // another page is said to come, and does not
  const file = sink();
  await expect(exported(services(platform), file, () => {}, new AbortController().signal)).rejects.toThrow("gone");
  expect(file.state).toMatchObject({ closed: false, aborted: true });
});

test("saving that is called off asks for no more", async () => {
  pages = [["one"], ["two"], ["three"]];
  const off = new AbortController();
  const file = sink();
  const count = await exported(services(platform), file, () => off.abort(), off.signal);
  expect(count).toBeUndefined();
  expect(asked.length).toBe(2);
  expect(file.state).toMatchObject({ closed: false, aborted: true });
});

test.each(["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "blob:https://a/b", "vbscript:x", "about:blank", "file:///etc/passwd", "/back", "no address"])(
  "%s leads nowhere",
  (address) => expect(leadsAway(address)).toBe(false),
);

test.each(["https://app.example.org/back?code=x", "http://127.0.0.1:5000/", "org.example.app:/back"])("%s leads away", (address) =>
  expect(leadsAway(address)).toBe(true),
);

test("a request is what its query says once", () => {
  const query = "?client_id=app_1&redirect_uri=https%3A%2F%2Fa.example%2F&response_type=code&scope=read+write&state=a%26b&code_challenge=c&code_challenge_method=S256&other=1";
  expect(requestOf(query)).toEqual({
    clientId: "app_1",
    redirectUri: "https://a.example/",
    responseType: "code",
    scope: "read write",
    state: "a&b",
    codeChallenge: "c",
    codeChallengeMethod: "S256",
  });
  expect(requestOf(`${query}&redirect_uri=https%3A%2F%2Fevil.example%2F`)).toBeUndefined();
  expect(requestOf("")?.clientId).toBe("");
});

test.each(["/sign-in", "/sign-in/corp", "/oauth2/authorize", "/settings/sign-in"])("%s is a place of its own", (path) => {
  expect(pathOf(placeOf(path))).toBe(path);
});

test("what was never chosen is the device's own; what is chosen here is told to the others", async () => {
  chooseTheme("dark");
  const stop = follow(platform);
  await settled();
  expect(chosenTheme()).toBe("dark");
  expect(settings.theme).toBe(Theme.UNSPECIFIED);
  chooseTheme("light");
  await settled();
  expect(settings.theme).toBe(Theme.LIGHT);
  stop();
  chooseTheme("dark");
  await settled();
  expect(settings.theme).toBe(Theme.LIGHT);
});

test("what is chosen elsewhere is shown here, and not told back", async () => {
  const stop = follow(platform);
  await settled();
  refused = true; // telling it back would fail
  tell({ case: "settingsUpdated", value: { settings: create(SettingsSchema, { theme: Theme.DARK, compact: true }) } as never });
  expect(document.documentElement.dataset).toMatchObject({ theme: "dark", density: "compact" });
  tell({ case: "settingsUpdated", value: { settings: create(SettingsSchema) } as never });
  expect(document.documentElement.dataset).toMatchObject({ theme: "light", density: "" });
  stop();
});

test("a device looks as before until it is known how somebody wants it", async () => {
  document.documentElement.dataset["density"] = "compact";
  const stop = follow(platform);
  expect(document.documentElement.dataset["density"]).toBe("compact");
  await settled();
  expect(document.documentElement.dataset["density"]).toBe("");
  stop();
});

test("a setting that is refused is as before", async () => {
  refused = true;
  const kept1 = keep(platform, { compact: true });
  expect(kept.getState().compact).toBe(true);
  await expect(kept1).rejects.toThrow();
  expect(kept.getState().compact).toBe(false);
  expect(document.documentElement.dataset["density"]).toBe("");
});

test("the answer to one change does not undo the next", async () => {
  const first = keep(platform, { compact: true });
  const second = keep(platform, { reduceMotion: true });
  await first;
  expect(kept.getState()).toMatchObject({ compact: true, reduceMotion: true });
  await second;
  expect(kept.getState()).toMatchObject({ compact: true, reduceMotion: true });
  expect(settings).toMatchObject({ compact: true, reduceMotion: true });
});

test("settings that were read before a change do not undo it", async () => {
  let letGo = (): void => {};
  held = new Promise((resolve) => (letGo = resolve));
  const stop = follow(platform);
  await settled();
  await keep(platform, { compact: true });
  letGo();
  await settled();
  expect(kept.getState().compact).toBe(true);
  stop();
});

test("an answer that was overtaken is not shown", async () => {
  const answers: ((answer: string) => void)[] = [];
  let again = async (): Promise<void> => {};
  function Shown() {
    const found = useAsked(() => new Promise<string>((resolve) => answers.push(resolve)));
    again = found.again;
    return <p>{found.value ?? "nothing yet"}</p>;
  }
  render(<Shown />);
  await act(async () => {
    void again();
    answers[1]?.("new");
    await settled();
    answers[0]?.("old");
    await settled();
  });
  expect(screen.getByText("new")).toBeTruthy();
  await act(async () => {
    tell({ case: "refetch", value: {} as never });
    answers[2]?.("newest");
    await settled();
  });
  expect(screen.getByText("newest")).toBeTruthy();
});
