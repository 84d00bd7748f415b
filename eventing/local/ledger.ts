/**
 * What happened to every event, for tests and for a look at a running system. Counters never fall; the list keeps the
 * newest entries. A violation is something that a real broker would not survive or is not bound to carry.
 */
import type { Envelope } from './envelope.ts';

/** Where the engine writes what an operator wants to know: first data, then a constant sentence, as pino has it. */
export interface Log {
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
  error(data: object, message: string): void;
}

export type What =
  /** Taken in with 202. */
  | 'accepted'
  /** Refused at the door: invalid, or its hops are used up. */
  | 'rejected'
  /** Taken in and forgotten, by the switch. */
  | 'dropped'
  /** One attempt failed; more may follow. */
  | 'failed'
  | 'delivered'
  | 'dead-lettered'
  /** Neither delivered nor dead-lettered. */
  | 'lost';

export interface Entry {
  readonly at: number;
  readonly what: What;
  readonly id: string;
  readonly type: string;
  readonly subject: string | undefined;
  /** The Trigger, where one is concerned. */
  readonly trigger: string | undefined;
  readonly status: number | undefined;
  readonly detail: string | undefined;
}

export interface Violation {
  readonly rule: 'error-body' | 'event-size';
  readonly trigger: string | undefined;
  readonly type: string;
  readonly bytes: number;
}

export interface Stats {
  readonly counts: Readonly<Record<What, number>>;
  readonly entries: readonly Entry[];
  readonly violations: readonly Violation[];
}

export interface Ledger {
  readonly stats: Stats;
  record(
    what: What,
    event: Envelope | undefined,
    more?: Partial<Pick<Entry, 'trigger' | 'status' | 'detail'>>,
  ): void;
  violate(violation: Violation): void;
}

/** Creates a ledger that keeps the newest `limit` entries. */
export function createLedger(limit: number, log: Log): Ledger {
  const counts: Record<What, number> = {
    accepted: 0,
    rejected: 0,
    dropped: 0,
    failed: 0,
    delivered: 0,
    'dead-lettered': 0,
    lost: 0,
  };
  const entries: Entry[] = [];
  const violations: Violation[] = [];

  return {
    stats: { counts, entries, violations },
    record(what, event, { trigger, status, detail } = {}) {
      counts[what] += 1;
      const { id = '', type = '', subject } = event?.attributes ?? {};
      const entry: Entry = { at: Date.now(), what, id, type, subject, trigger, status, detail };
      entries.push(entry);
      if (entries.length > 2 * limit) entries.splice(0, entries.length - limit);
      if (what === 'lost') log.error(entry, 'event lost');
      else if (what === 'dead-lettered' || what === 'rejected') log.warn(entry, `event ${what}`);
    },
    violate(violation) {
      violations.push(violation);
      log.error(violation, 'a real broker would not survive this, or need not carry it');
    },
  };
}

/** A log of JSON lines on stderr that leaves out what is not worth a look. */
export function createStderrLog(): Log {
  const write = (level: string, data: object, message: string): void => {
    process.stderr.write(`${JSON.stringify({ level, service: 'broker', ...data, msg: message })}\n`);
  };
  return {
    info: () => {},
    warn: (data, message) => write('warn', data, message),
    error: (data, message) => write('error', data, message),
  };
}
