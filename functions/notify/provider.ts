/**
 * One call to a provider, with every way to fail turned into a DeliveryError.
 * Only a 2xx whose body says yes is a yes; anything unclear is a failure that is tried again.
 */
import { AppError, DeliveryError } from '../../shared/errors.ts';
import { HttpFailure, parseRetryAfter, request, type HttpResponse } from '../../shared/http.ts';

/** A call and how to read this vendor's answers. */
export interface ProviderCall {
  readonly channel: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  /** The statuses this vendor wants retried. */
  readonly retries: (status: number) => boolean;
  /** The wait asked for by other means than `Retry-After`. */
  readonly retryAfterMs?: (answer: HttpResponse, now: Date) => number | undefined;
  /** Reads a 2xx body; returns the provider's id (or null for none) when it says yes, undefined when it does not. */
  readonly accepted: (body: unknown) => string | null | undefined;
}

/** Posts a message; resolves only on the provider's clear yes. */
export async function callProvider(call: ProviderCall): Promise<{ readonly providerId: string | null }> {
  const answer = await post(call);
  const { status } = answer;
  if (status < 200 || status > 299) {
    const now = new Date();
    throw new DeliveryError(
      call.retries(status) ? 'delivery-retryable' : 'delivery-permanent',
      `${call.channel} answered ${status}`,
      {
        // A gateway that gave up waiting does not know what happened behind it.
        outcomeUnknown: status === 504,
        retryAfterMs: parseRetryAfter(answer.headers['retry-after'], now) ?? call.retryAfterMs?.(answer, now),
      },
    );
  }
  const providerId = call.accepted(parseBody(answer.body));
  if (providerId === undefined) {
    throw new DeliveryError(
      'delivery-retryable',
      `${call.channel} answered ${status}, but its body does not confirm`,
    );
  }
  return { providerId };
}

async function post(call: ProviderCall): Promise<HttpResponse> {
  const { url, headers, body, signal } = call;
  try {
    return await request({ method: 'POST', url, headers, body, signal });
  } catch (error) {
    if (error instanceof HttpFailure) {
      const reason = error.kind === 'redirect' ? 'delivery-permanent' : 'delivery-retryable';
      throw new DeliveryError(reason, `${call.channel}: ${error.message}`, {
        cause: error,
        outcomeUnknown: error.outcomeUnknown,
      });
    }
    if (error instanceof AppError) {
      throw new DeliveryError('delivery-permanent', `${call.channel}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function parseBody(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
