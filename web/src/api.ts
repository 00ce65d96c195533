/** The only fetch: JSON to the server and back, its refusals and its silence as errors. */

const PATIENCE_MS = 20_000;

/** The server answered, and said no: with the contract's word for why. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly errors: { field: string; message: string }[] = [],
  ) {
    super(detail);
  }
}

/** No answer came, or none that means anything: what was asked may or may not have been done. */
export class NoSignal extends Error {
  /** `status`: what the server said where it asks for patience; 0 where nothing came. */
  constructor(readonly status = 0) {
    super();
  }
}

/** Asked too often: for whatever waits, the same as silence; a form can say it. */
export class TooMany extends NoSignal {
  constructor() {
    super(429);
  }
}

let heard: (reached: boolean) => void = () => {};

/** Be told, after each attempt, whether the server was reached. */
export const onReach = (tell: typeof heard) => void (heard = tell);

let credential: HeadersInit = {};

/** A customer whose browser keeps no cookies shows their link's token at each call instead. */
export const identify = (token: string) => void (credential = { Authorization: `Bearer ${token}` });

export const get = <T>(path: string): Promise<T> => ask<T>("GET", path);
export const post = <T = void>(path: string, body?: unknown): Promise<T> => ask<T>("POST", path, body);
export const patch = <T>(path: string, body: unknown): Promise<T> => ask<T>("PATCH", path, body);
export const put = (path: string, body?: unknown): Promise<void> => ask("PUT", path, body);
export const remove = (path: string): Promise<void> => ask<void>("DELETE", path);

const known = new Map<string, { etag: string; value: unknown }>();
const KNOWN_AT_MOST = 60;

/** As `get`, for what is asked again and again: an answer that has not changed does not travel twice. */
export async function look<T>(path: string): Promise<T> {
  const before = known.get(path);
  const response = await reach("GET", path, undefined, before && { "If-None-Match": before.etag });
  if (response.status === 304 && before) return before.value as T;
  const value = await read<T>(response);
  const etag = response.headers.get("ETag");
  known.delete(path);
  if (etag) known.set(path, { etag, value });
  if (known.size > KNOWN_AT_MOST) known.delete(known.keys().next().value!);
  return value;
}

/** A stream of events, from after the one of that id. Raises `NoSignal` and `Refused`. */
export async function listen(path: string, after: string, signal: AbortSignal) {
  const last = after ? { "Last-Event-ID": after } : undefined;
  const headers = { ...credential, ...last, Accept: "text/event-stream" };
  const response = await fetch(path, { headers, cache: "no-store", signal });
  const streams = response.headers.get("Content-Type")?.startsWith("text/event-stream");
  if (response.ok && streams && response.body) return response.body;
  return read<never>(response);
}

/** The last word of a page that is going: nobody waits for the answer. */
export function farewell(path: string, body: unknown) {
  const headers = { ...credential, "Content-Type": "application/json" };
  fetch(path, { method: "POST", headers, body: JSON.stringify(body), keepalive: true }).catch(() => {});
}

/** As the others, for what was asked before this file was there. */
export const answered = async <T>(asked: Promise<Response>): Promise<T> => read<T>(await heardOf(asked));

/** Another person signs in, or nobody: what was answered to the one before is not theirs. */
export const forget = () => known.clear();

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  return read<T>(await reach(method, path, body));
}

function reach(method: string, path: string, body?: unknown, headers?: HeadersInit): Promise<Response> {
  const patience = new AbortController(); // AbortSignal.timeout is younger than our customers' phones
  setTimeout(() => patience.abort(), PATIENCE_MS);
  const json = body === undefined ? undefined : { "Content-Type": "application/json" };
  const asked = fetch(path, {
    method,
    headers: { ...credential, ...headers, ...json },
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    signal: patience.signal,
  });
  return heardOf(asked);
}

async function heardOf(asked: Promise<Response>): Promise<Response> {
  try {
    const response = await asked;
    heard(response.status < 500);
    return response;
  } catch {
    heard(false);
    throw new NoSignal();
  }
}

async function read<T>(response: Response): Promise<T> {
  let value;
  try {
    value = response.status === 204 ? undefined : await response.json();
  } catch {
    throw new NoSignal(); // a proxy's page, a hotel's sign-in, or half an answer
  }
  if (response.ok) return value;
  if (response.status === 429) throw new TooMany();
  const wait = response.status >= 500 || !value?.code;
  throw wait
    ? new NoSignal(response.status)
    : new Refused(response.status, value.code, value.detail, value.errors);
}
