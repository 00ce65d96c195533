/** What a browser says of itself, in the few words that matter. */

const BROWSERS: [RegExp, string][] = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/SamsungBrowser/, "Samsung Internet"],
  [/Firefox|FxiOS/, "Firefox"],
  [/Chrome|CriOS/, "Chrome"],
  [/Safari/, "Safari"],
];
const DEVICES: [RegExp, string][] = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "Mac"],
  [/Linux|X11/, "Linux"],
];

/** `Chrome, Android`; what is not a browser stays as it calls itself. */
export function browserOf(agent: string | null): string {
  if (!agent) return "";
  const named = [nameIn(BROWSERS, agent), nameIn(DEVICES, agent)].filter(Boolean);
  return named.length ? named.join(", ") : agent.slice(0, 60);
}

const nameIn = (list: [RegExp, string][], agent: string) => list.find(([mark]) => mark.test(agent))?.[1];
