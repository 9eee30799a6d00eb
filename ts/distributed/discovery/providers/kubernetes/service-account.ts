import { join } from "node:path";
import { readCapped } from "../../capped-file.ts";
import { isLabel } from "../../kubernetes-facts.ts";
import type { KubernetesPlan } from "./options.ts";

/** A bundle of all authorities of the web has a quarter of it. Unit: bytes. */
const FILE_BYTES_MAX = 1024 * 1024;

/** What a request needs of the service account. Read anew each time: tokens live for an hour. */
export interface ServiceAccount {
  readonly token: string;
  /** Of the certificate authority, as PEM; undefined where those of the system are meant. */
  readonly ca: string | undefined;
  readonly namespace: string;
}

/** Reads the files of the service account; throws what reading them threw. */
export async function readServiceAccount(plan: KubernetesPlan): Promise<ServiceAccount> {
  const read = async (name: string): Promise<string> =>
    (await readCapped(join(plan.serviceAccountPath, name), FILE_BYTES_MAX)).toString().trim();
  const [token, ca, namespace] = await Promise.all([
    read("token"),
    read("ca.crt").catch(noneThere),
    plan.namespace ?? read("namespace"),
  ]);
  if (isLabel(namespace)) return { token, ca, namespace };
  throw new Error("the file 'namespace' of the service account holds no name of a namespace");
}

// A file that cannot be read is an error; without one, a server has to be known to the system.
function noneThere(thrown: NodeJS.ErrnoException): undefined {
  if (thrown.code !== "ENOENT") throw thrown;
  return undefined;
}
