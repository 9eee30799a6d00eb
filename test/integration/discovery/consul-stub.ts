import type { ServerResponse } from "node:http";
import { RelayServer } from "./relay-server.ts";

interface Instance {
  readonly ID: string;
  readonly Name: string;
  readonly Address: string;
  readonly Port: number;
  readonly Tags?: readonly string[];
  readonly Meta?: Readonly<Record<string, string>>;
}

interface Held {
  readonly service: string;
  readonly tag: string | null;
  readonly index: number;
  readonly response: ServerResponse;
  readonly timer: NodeJS.Timeout;
}

/**
 * What a provider needs of a Consul agent: instances with checks, questions that are held until the
 * index goes on, tokens. It says what Consul said when it was recorded (test/fixtures/consul).
 */
export class ConsulStub {
  readonly url: string;
  /** The token that questions need; undefined for none. */
  token: string | undefined;
  /** IDs of instances that nobody may read. */
  readonly unreadable = new Set<string>();
  /** The index of the last change; a test may set it back, as a restore does. */
  index = 10;
  /** Questions of instances so far, with their index. */
  readonly asked: number[] = [];
  readonly #relay: RelayServer;
  readonly #instances = new Map<string, { instance: Instance; checks: Map<string, string> }>();
  readonly #held = new Set<Held>();

  private constructor(relay: RelayServer) {
    this.#relay = relay;
    this.url = relay.url;
    this.resume();
  }

  /** Listens on a free port. */
  static async open(): Promise<ConsulStub> {
    return new ConsulStub(await RelayServer.open());
  }

  /** Has every question answered so, until `resume`; those that are held as well. */
  answer(how: (response: ServerResponse) => void): void {
    this.#relay.interfere = (_, response) => {
      how(response);
      return true;
    };
    for (const held of this.#held) {
      this.#release(held);
      how(held.response);
    }
  }

  /** Answers as Consul does again. */
  resume(): void {
    this.#relay.interfere = (path, response, body) => {
      const { searchParams, pathname } = new URL(path, this.url);
      const isRead = pathname.startsWith("/v1/health/service/");
      const token = response.req.headers["x-consul-token"];
      const isNobody = this.token !== undefined && token === undefined;
      if (this.token !== undefined && token !== undefined && token !== this.token) {
        refuse(response, 403, "ACL not found");
      } else if (isRead) {
        this.#hold(decodeURIComponent(pathname.slice(19)), searchParams, response, isNobody);
      } else if (isNobody) {
        refuse(
          response,
          403,
          "Permission denied: anonymous token lacks permission 'service:write'",
        );
      } else this.#change(pathname, response, body);
      return true;
    };
  }

  /** Registers an instance, or replaces it. */
  put(instance: Instance, checks: Readonly<Record<string, string>> = {}): void {
    this.#instances.set(instance.ID, { instance, checks: new Map(Object.entries(checks)) });
    this.changed();
  }

  /** Removes an instance. */
  remove(id: string): void {
    this.#instances.delete(id);
    this.changed();
  }

  /** What is registered. */
  get instances(): readonly Instance[] {
    return [...this.#instances.values()].map(({ instance }) => instance);
  }

  /** Answers all questions that are held. */
  changed(): void {
    this.index += 1;
    for (const held of this.#held) this.#answer(held);
  }

  /** Takes the token back: held questions are told of nothing, with an index of long ago. */
  revoke(token: string): void {
    this.token = token;
    for (const held of this.#held) this.#tell(held, [], 1);
  }

  #hold(
    service: string,
    query: URLSearchParams,
    response: ServerResponse,
    isNobody: boolean,
  ): void {
    const index = Number(query.get("index") ?? 0);
    this.asked.push(index);
    const waitMs = Number.parseInt(query.get("wait") ?? "300000", 10);
    const timer = setTimeout(() => this.#answer(held), waitMs);
    const held: Held = { service, tag: query.get("tag"), index, response, timer };
    this.#held.add(held);
    response.on("close", () => this.#release(held));
    if (isNobody) this.#tell(held, [], this.index);
    else if (index === 0 || index !== this.index) this.#answer(held);
  }

  #release(held: Held): void {
    clearTimeout(held.timer);
    this.#held.delete(held);
  }

  #answer(held: Held): void {
    const all = [...this.#instances.values()].filter(({ instance: { Name, Tags } }) => {
      return Name === held.service && (held.tag === null || Tags?.includes(held.tag) === true);
    });
    const seen = all.filter(({ instance }) => !this.unreadable.has(instance.ID));
    this.#tell(held, seen.map(entryOf), this.index, seen.length < all.length);
  }

  #tell(held: Held, entries: readonly object[], index: number, isFiltered = false): void {
    this.#release(held);
    const isHeld = held.index !== 0;
    held.response.writeHead(200, {
      "content-type": "application/json",
      "x-consul-default-acl-policy": this.token === undefined ? "allow" : "deny",
      "x-consul-effective-consistency": "leader",
      "x-consul-index": `${index}`,
      "x-consul-knownleader": `${!isHeld}`,
      "x-consul-lastcontact": "0",
      "x-consul-query-backend": isHeld ? "streaming" : "blocking-query",
      // Only the first answer says so.
      ...(isFiltered && !isHeld && { "x-consul-results-filtered-by-acls": "true" }),
    });
    held.response.end(JSON.stringify(entries));
  }

  #change(path: string, response: ServerResponse, body: string): void {
    const words = decodeURIComponent(path).split("/").slice(3);
    const what = words.slice(0, 2).join(" ");
    const rest = words.slice(2).join("/");
    if (what === "service register") {
      const instance = JSON.parse(body) as Instance;
      this.put(instance, { [`service:${instance.ID}`]: "passing" });
    } else if (what === "service deregister") {
      if (!this.#instances.has(rest)) return refuse(response, 404, `Unknown service ID "${rest}".`);
      this.remove(rest);
    } else if (what !== "check pass") return refuse(response, 404, "");
    else if (!this.#instances.has(rest.replace(/^service:/, ""))) {
      return refuse(response, 404, `Unknown check ID "${rest}".`);
    }
    response.writeHead(200).end();
  }

  /** Closes the port and all connections. */
  async close(): Promise<void> {
    for (const held of this.#held) clearTimeout(held.timer);
    await this.#relay.close();
  }
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(text);
}

function entryOf({ instance, checks }: { instance: Instance; checks: Map<string, string> }) {
  const { Name, ...rest } = instance;
  const all = [...checks].map(([CheckID, Status]) => ({ Node: "machine", CheckID, Status }));
  return {
    Node: { Node: "machine", Address: "10.9.9.9", Datacenter: "dc1", Meta: null },
    Service: { Tags: [], Meta: null, ...rest, Service: Name },
    Checks: [{ Node: "machine", CheckID: "serfHealth", Status: "passing" }, ...all],
  };
}
