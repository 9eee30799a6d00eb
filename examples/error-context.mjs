// An operation that knows itself: across await, nested, and in the error that ends it.
import { attempt, ErrorContext, Errors, FoundationError } from "foundation-runtime";

async function loadUser(id) {
  const outer = ErrorContext.getCurrentContext();
  const context = ErrorContext.childContext(outer, "Users", "load", { id });
  return ErrorContext.withContext(context, async () => {
    await null;
    throw new FoundationError("data_not_found", `no user ${id}`);
  });
}

const request = ErrorContext.new("Http", "get", { metadata: { path: "/users/7" } });
const result = await attempt(() => ErrorContext.withContext(request, () => loadUser(7)));

const { operationContext } = result.error.context;
console.log(Errors.describe(new FoundationError(result.error.code, result.error.message)));
console.log(
  operationContext.breadcrumbs.map((step) => `${step.module}.${step.function}`).join(" -> "),
);
console.log(operationContext.correlationId === request.correlationId, operationContext.metadata);
console.log(Errors.retryDelay(result.error), Errors.recoveryActions(result.error).length);
