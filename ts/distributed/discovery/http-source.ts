import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { checkKeys, checkKind } from "../../base/option-checks.ts";
import { answerOf } from "./asking.ts";
import { readCapped } from "./capped-file.ts";
import { readText } from "./lines.ts";
import type { ProviderContext } from "./provider.ts";

/** Files of a connection by TLS, read anew for each, so that they may be replaced. */
export interface TlsFiles {
  /** Authority whose servers are trusted. Unit: path of PEM. Default: those of the system. */
  readonly caFile?: string;
  /** Certificate of this client. Unit: path of PEM. Default: none. */
  readonly certFile?: string;
  /** Key of that certificate. Unit: path of PEM. Default: none. */
  readonly keyFile?: string;
}

const TLS_KEYS = ["caFile", "certFile", "keyFile"] as const;
/** A bundle of all authorities of the web has a quarter of it. Unit: bytes. */
const PEM_BYTES_MAX = 1024 * 1024;
/** Connections that stand still are probed: a machine that is gone says no farewell. Unit: ms. */
const PROBE_IDLE_MS = 15_000;
const REFUSAL_CHARACTERS_MAX = 300;

/**
 * Checks the address of a server that speaks HTTP.
 *
 * @throws FoundationError `invalid_options` where it is no `http:` or `https:` address, or has a
 *   password in it
 */
export function checkHttpUrl(name: string, text: string): URL {
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  checkKind(name, isHttp, "an address like http://10.0.0.7:2379");
  const isBare = url?.username === "" && url.password === "" && `${url.search}${url.hash}` === "";
  checkKind(name, isBare, "an address without a password, a query or a fragment");
  return url as URL;
}

/** Checks {@link TlsFiles}; `where` is what they belong to. */
export function checkTlsFiles(where: string, files: TlsFiles): void {
  checkKeys(`tls of ${where}`, files, TLS_KEYS);
  for (const key of TLS_KEYS) {
    const isPath = files[key] === undefined || typeof files[key] === "string";
    checkKind(`${key} of ${where}`, isPath, "the path of a file");
  }
  const isPair = (files.certFile === undefined) === (files.keyFile === undefined);
  checkKind(`certFile and keyFile of ${where}`, isPair, "given both or not at all");
}

/** A question to a server. */
export interface HttpQuestion {
  readonly method: "GET" | "POST" | "PUT";
  /** Below the address of the server, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What the answer may take beyond the ordinary. Unit: ms. Default: 0. */
  readonly extraMs?: number;
}

/** What a server said, whatever its status. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** What a source by HTTP is asked with. */
export interface HttpSourceOptions {
  /** What it is, for errors. */
  readonly what: string;
  /** Its address. */
  readonly base: URL;
  /** Files of its connections. */
  readonly tls: TlsFiles;
  /** What an answer may take. Unit: ms. */
  readonly timeoutMs: number;
  /** Longest answer that is read. Unit: bytes. */
  readonly bytesMax: number;
}

/** A server that is asked by HTTP, over a connection for each question. */
export class HttpSource {
  readonly #options: HttpSourceOptions;
  readonly #context: Pick<ProviderContext, "clock" | "signal">;

  constructor(options: HttpSourceOptions, context: Pick<ProviderContext, "clock" | "signal">) {
    this.#options = options;
    this.#context = context;
  }

  /**
   * The whole answer, whatever its status.
   *
   * @throws FoundationError `discovery_failed` where there is none in time, or it is too long
   */
  async ask(question: HttpQuestion): Promise<HttpAnswer> {
    const { what, timeoutMs, bytesMax } = this.#options;
    const limit = { what, timeoutMs: timeoutMs + (question.extraMs ?? 0) };
    return answerOf(this.#context, limit, async (signal) => {
      const response = await this.#open(question, signal);
      const { statusCode = 0, headers } = response;
      return { status: statusCode, headers, text: await readText(response, bytesMax) };
    });
  }

  /**
   * An answer that goes on until the signal of the context is aborted.
   *
   * @throws FoundationError `discovery_failed` where it does not begin in time
   */
  async open(question: HttpQuestion): Promise<IncomingMessage> {
    const { what, timeoutMs } = this.#options;
    const { signal } = this.#context;
    const ask = async (asking: AbortSignal) => this.#open(question, asking);
    const response = await answerOf(this.#context, { what, timeoutMs }, ask);
    const end = (): void => void response.destroy();
    signal.addEventListener("abort", end, { once: true });
    response.once("close", () => signal.removeEventListener("abort", end));
    if (signal.aborted) end();
    return response;
  }

  async #open(question: HttpQuestion, signal: AbortSignal): Promise<IncomingMessage> {
    const { base, tls } = this.#options;
    const { method, path, headers = {}, body } = question;
    const isTls = base.protocol === "https:";
    const files = isTls ? await readTls(tls) : {};
    return new Promise((resolve, reject) => {
      const request = isTls ? requestHttps : requestHttp;
      const target = `${base.pathname.replace(/\/+$/, "")}${path}`;
      const sent = request(base, { ...files, method, path: target, headers, agent: false, signal });
      sent.on("socket", (socket) => socket.setKeepAlive(true, PROBE_IDLE_MS));
      sent.on("response", resolve);
      sent.on("error", reject);
      sent.end(body);
    });
  }
}

async function readTls({ caFile, certFile, keyFile }: TlsFiles) {
  const read = async (path: string | undefined) =>
    path === undefined ? undefined : readCapped(path, PEM_BYTES_MAX);
  const [ca, cert, key] = await Promise.all([caFile, certFile, keyFile].map(read));
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

/** What a server says in an error, without what could break a line, and not all of it. */
export function excerptOf(text: string): string {
  return text
    .slice(0, REFUSAL_CHARACTERS_MAX)
    .replaceAll(/\p{C}+/gu, " ")
    .trim();
}
