const browsers: readonly (readonly [RegExp, string])[] = [
  // Those that call themselves others come first.
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bFxiOS\/|\bFirefox\//, "Firefox"],
  [/\bCriOS\/|\bChrom(?:e|ium)\/|\bHeadlessChrome\//, "Chrome"],
  [/\bVersion\/[\d.]+.*\bSafari\//, "Safari"],
];

const systems: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];

export interface Agent {
  /** The browser; or whatever a program calls itself first; empty when it says nothing. */
  readonly program: string;
  /** The system; empty when it is not told. */
  readonly system: string;
  readonly mobile: boolean;
}

/** What a program says it is, as people call it. */
export function agentOf(told: string): Agent {
  const find = (list: typeof browsers): string => list.find(([sign]) => sign.test(told))?.[1] ?? "";
  const system = find(systems);
  const [first = ""] = told.split(/[\s/]/);
  return { program: find(browsers) || first, system, mobile: ["iPhone", "iPad", "Android"].includes(system) };
}
