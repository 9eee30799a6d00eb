import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

/**
 * A package registry on loopback that has the packed tarballs and passes every other request on to
 * the registry that npm is configured with: installing from it is what users will do once the
 * packages are published.
 *
 * @param {string} packs folder with `manifest.json` and the tarballs beside it
 * @param {readonly Record<string, unknown>[]} manifests `package.json` of each packed package
 * @param {string} upstream address of the registry for everything else, without a slash at the end
 */
export async function startRegistry(packs, manifests, upstream) {
  const own = new Map(manifests.map((manifest) => [String(manifest["name"]), manifest]));
  const server = createServer((request, response) => {
    answer(request.url ?? "/").catch((error) => {
      response.writeHead(502).end(String(error));
    });
    /** @param {string} url */
    async function answer(url) {
      const [name, , file] = decodeURIComponent(url).slice(1).split("/");
      const manifest = own.get(name ?? "");
      if (manifest === undefined) return passOn(url);
      const tarball = join(packs, `${name}-${manifest["version"]}.tgz`);
      if (file !== undefined) return response.end(readFileSync(tarball));
      const host = request.headers.host ?? "";
      response.setHeader("content-type", "application/json");
      return response.end(JSON.stringify(packument(manifest, readFileSync(tarball), host)));
    }
    /** @param {string} url */
    async function passOn(url) {
      const { accept } = request.headers;
      const headers = accept === undefined ? {} : { accept };
      const found = await fetch(upstream + url, { headers });
      const type = found.headers.get("content-type") ?? "application/octet-stream";
      response.writeHead(found.status, { "content-type": type });
      response.end(Buffer.from(await found.arrayBuffer()));
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** @param {Record<string, unknown>} manifest @param {Buffer} tarball @param {string} host */
function packument(manifest, tarball, host) {
  const { name, version } = manifest;
  const digest = createHash("sha512").update(tarball).digest("base64");
  const dist = {
    tarball: `http://${host}/${name}/-/${name}-${version}.tgz`,
    integrity: `sha512-${digest}`,
  };
  const versions = { [String(version)]: { ...manifest, dist } };
  return { name, "dist-tags": { latest: version }, versions };
}
