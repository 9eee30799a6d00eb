/** Where Kubernetes puts what a pod needs to ask its API server: token, authority, namespace. */
export const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether it can be the name of a namespace or of a service, or a label of a domain. */
export function isLabel(text: unknown): text is string {
  return typeof text === "string" && LABEL.test(text);
}
