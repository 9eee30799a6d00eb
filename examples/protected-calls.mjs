import { createServer } from "node:http";
import { HttpWorker, httpRetry, Infrastructure } from "foundation-runtime";

// A service that fails its first three requests.
let requests = 0;
const server = createServer((_, response) => {
  response.writeHead(++requests <= 3 ? 503 : 200).end(`request ${requests}`);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const baseUrl = `http://127.0.0.1:${server.address().port}`;

// On a node it is `node.infrastructure`; by itself it is one that belongs to nobody.
const infrastructure = Infrastructure.standalone();
infrastructure.configureProtection("weather", {
  circuitBreaker: { failureThreshold: 1, recoveryTimeMs: 60_000 },
  rateLimiter: { limit: 6, scaleMs: 60_000 },
  connectionPool: { size: 2, maxOverflow: 0 },
});
await infrastructure.connectionManager.startPool("weather", {
  workerModule: HttpWorker,
  workerArgs: { baseUrl },
});

const forecast = async ({ worker }) => {
  const response = await worker.get("/forecast");
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
  return response.text();
};
const refused = ({ code, cause }) => `${code}${cause ? `: ${cause.message}` : ""}`;

// Without options, all that was configured protects the call.
for (let i = 0; i < 3; i++) {
  console.log(await infrastructure.executeProtected("weather", forecast).catch(refused));
}
console.log(infrastructure.getProtectionStatus("weather").circuitBreaker.status);

// With options, only what they name; a third request, and then one that succeeds.
const retry = { ...httpRetry("GET"), backoff: { baseMs: 1 } };
const options = { connectionPool: "weather", retry };
const response = await infrastructure.executeProtected("weather", options, ({ worker }) =>
  worker.get("/forecast"),
);
console.log(response.statusCode, response.text());

infrastructure.circuitBreaker.reset("weather");
for (let i = 0; i < 4; i++) {
  console.log(await infrastructure.executeProtected("weather", forecast).catch(refused));
}
await infrastructure.close();
server.close();
