import type { ProblemBody } from "@/lib/api/types";

/** A failed request, whatever failed: the API's problem+json, or the way to it (status 0). */
export class Problem extends Error {
  readonly body: ProblemBody;

  constructor(body: ProblemBody) {
    super(body.title);
    this.name = "Problem";
    this.body = body;
  }

  get status(): number {
    return this.body.status;
  }

  /** The last part of `type`, e.g. "out-of-stock". */
  get slug(): string {
    return this.body.type.split("/").pop() ?? "";
  }

  get correlationId(): string | null {
    return this.body.correlation_id ?? null;
  }

  /** True when the same request may well succeed a moment later. */
  get isRetryable(): boolean {
    return this.status === 0 || [408, 429, 502, 503, 504].includes(this.status);
  }
}

export const unreachable = () =>
  new Problem({ type: "/problems/unreachable", title: "The shop cannot be reached", status: 0 });

export async function problemFrom(response: Response): Promise<Problem> {
  const correlation_id = response.headers.get("X-Correlation-Id") ?? undefined;
  const fallback: ProblemBody = {
    type: "about:blank",
    title: "Something went wrong",
    status: response.status,
    correlation_id,
  };
  // A proxy between us and the API answers in its own words: those are not for shoppers.
  if (!(response.headers.get("Content-Type") ?? "").includes("json")) return new Problem(fallback);
  try {
    const body = (await response.json()) as Partial<ProblemBody>;
    return new Problem({ ...fallback, ...body, status: response.status });
  } catch {
    return new Problem(fallback);
  }
}

/** A sentence a shopper can act on. */
export function friendlyMessage(error: unknown): string {
  if (!(error instanceof Problem)) return "Something went wrong on our side. Please try again.";
  if (error.status === 0) {
    return navigator.onLine
      ? "We cannot reach the shop right now. Please try again in a moment."
      : "You seem to be offline. Check your connection and try again.";
  }
  if (error.status === 429) return "That was a little too fast. Please wait a moment.";
  if (error.status >= 500) return "The shop is having a moment. Please try again shortly.";
  return error.body.detail ?? error.body.title;
}
