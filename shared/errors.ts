/**
 * One class of expected failure. `reason` is what code, logs and tests look at (never the text);
 * `retryable` says whether the same call can succeed later, and so drives status codes, retries and dead letters.
 */

/** Every expected way to fail, with the HTTP status it is answered with. */
const REASONS = {
  'invalid-config': { status: 500, retryable: false },
  'invalid-input': { status: 400, retryable: false },
  unauthorized: { status: 401, retryable: false },
  forbidden: { status: 403, retryable: false },
  'not-found': { status: 404, retryable: false },
  'method-not-allowed': { status: 405, retryable: false },
  'request-timeout': { status: 408, retryable: true },
  'unknown-id': { status: 400, retryable: false },
  behind: { status: 409, retryable: true },
  'too-large': { status: 413, retryable: false },
  'unsupported-media-type': { status: 415, retryable: false },
  'dependency-down': { status: 503, retryable: true },
  overloaded: { status: 503, retryable: true },
  'delivery-retryable': { status: 503, retryable: true },
  'delivery-permanent': { status: 502, retryable: false },
} as const satisfies Record<string, { status: number; retryable: boolean }>;

export type Reason = keyof typeof REASONS;

/** An expected failure; anything else that is thrown is a bug and answered with 500. */
export class AppError extends Error {
  readonly reason: Reason;

  constructor(reason: Reason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.reason = reason;
  }

  /** Whether the same call can succeed later. */
  get retryable(): boolean {
    return REASONS[this.reason].retryable;
  }

  /** The HTTP status this failure is answered with. */
  get status(): number {
    return REASONS[this.reason].status;
  }
}

/** The environment is not usable; the process must not start. */
export class ConfigError extends AppError {
  constructor(message: string) {
    super('invalid-config', message);
  }
}

/** The caller sent something that will never be accepted as it is. */
export class InvalidInputError extends AppError {
  constructor(message: string, reason: Reason = 'invalid-input') {
    super(reason, message);
  }
}

/** A part we need (Postgres, broker, model …) did not answer in time or refused. */
export class DependencyError extends AppError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('dependency-down', message, options);
  }
}

/**
 * A channel's provider did not take a message. `outcomeUnknown` is set when it may have been shown all the same
 * (the connection broke after the request was sent); `retryAfterMs` carries the provider's own `Retry-After`.
 */
export class DeliveryError extends AppError {
  readonly outcomeUnknown: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: 'delivery-retryable' | 'delivery-permanent',
    message: string,
    options: { cause?: unknown; outcomeUnknown?: boolean; retryAfterMs?: number | undefined } = {},
  ) {
    super(reason, message, options);
    this.outcomeUnknown = options.outcomeUnknown ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}
