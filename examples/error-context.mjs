// An operation that knows itself: across await, nested, and in the error that ends it.
import { attempt, ErrorContexts, Errors, FoundationError } from "foundation-runtime";

const contexts = new ErrorContexts();

async function loadUser(id) {
  const outer = contexts.getCurrentContext();
  const context = contexts.childContext(outer, "Users", "load", { id });
  return contexts.withContext(context, async () => {
    await null;
    throw new FoundationError("data_not_found", `no user ${id}`);
  });
}

const request = contexts.new("Http", "get", { metadata: { path: "/users/7" } });
const result = await attempt(() => contexts.withContext(request, () => loadUser(7)));

const { operationContext } = result.error.context;
console.log(Errors.describe(new FoundationError(result.error.code, result.error.message)));
console.log(
  operationContext.breadcrumbs.map((step) => `${step.module}.${step.function}`).join(" -> "),
);
console.log(operationContext.correlationId === request.correlationId, operationContext.metadata);
console.log(Errors.retryDelay(result.error), Errors.recoveryActions(result.error).length);
