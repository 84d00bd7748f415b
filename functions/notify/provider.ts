/**
 * One call to a provider, with every way to fail turned into a DeliveryError.
 * Only a 2xx whose body says yes is a yes; anything unclear is a failure that is tried again.
 */
import { AppError, DeliveryError } from '../../shared/errors.ts';
import { HttpFailure, parseRetryAfter, request, type HttpResponse } from '../../shared/http.ts';

/** A call and how to read this vendor's answers. */
export interface ProviderCall {
  readonly channel: string;
  /** POST unless told. */
  readonly method?: 'PATCH';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  /** The statuses this vendor wants retried. */
  readonly retries: (status: number) => boolean;
  /** The wait asked for by other means than `Retry-After`. */
  readonly retryAfterMs?: (answer: HttpResponse, now: Date) => number | undefined;
  /**
   * Reads a 2xx body (parsed, undefined when it is no JSON; and as text); returns the provider's id (or null for none)
   * when it says yes, undefined when it does not.
   */
  readonly accepted: (body: unknown, text: string) => string | null | undefined;
  /** Whether a 2xx body that says no will say no for ever; such a no is tried again unless told. */
  readonly refused?: (body: unknown) => boolean;
  /** The vendor's own word or number for what is wrong, for whoever has to put it right. */
  readonly codeOf?: (body: unknown, text: string) => unknown;
}

/** What may be repeated of a vendor's error code: a word or a number; a sentence, an address or a token is neither. */
const CODE = /^(?:[a-z_]{1,40}|\d{1,6})$/;

/** Sends a message; resolves only on the provider's clear yes. */
export async function callProvider(call: ProviderCall): Promise<{ readonly providerId: string | null }> {
  const answer = await post(call);
  const { status } = answer;
  const body = parseBody(answer.body);
  const said = `${call.channel} answered ${status}${toCode(call.codeOf?.(body, answer.body))}`;
  if (status < 200 || status > 299) {
    const now = new Date();
    throw new DeliveryError(call.retries(status) ? 'delivery-retryable' : 'delivery-permanent', said, {
      // A gateway that gave up waiting does not know what happened behind it.
      outcomeUnknown: status === 504,
      retryAfterMs: parseRetryAfter(answer.headers['retry-after'], now) ?? call.retryAfterMs?.(answer, now),
    });
  }
  const providerId = call.accepted(body, answer.body);
  if (providerId === undefined) {
    const reason = call.refused?.(body) === true ? 'delivery-permanent' : 'delivery-retryable';
    throw new DeliveryError(reason, `${said}, but its body does not confirm`, {
      retryAfterMs: parseRetryAfter(answer.headers['retry-after'], new Date()),
    });
  }
  return { providerId };
}

async function post(call: ProviderCall): Promise<HttpResponse> {
  const { method = 'POST', url, headers, body, signal } = call;
  try {
    return await request({ method, url, headers, body, signal });
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

function toCode(code: unknown): string {
  const word = typeof code === 'number' ? String(code) : code;
  return typeof word === 'string' && CODE.test(word) ? ` (${word})` : '';
}

function parseBody(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
