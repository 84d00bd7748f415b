/** Asks the console's JSON API; every number the tool prints comes from here or from what it saw itself. */
import { z } from 'zod';
import { DependencyError } from '../shared/errors.ts';
import { request } from '../shared/http.ts';

const PAGE = 1_000;
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

const countsSchema = z.object({
  episodes: z.number(),
  firing: z.number(),
  resolved: z.number(),
  issues: z.number(),
  byType: z.record(z.string(), z.unknown()),
});
const noticesSchema = z.object({
  byState: z.record(z.string(), z.number()),
  notices: z.array(z.object({ reason: z.string().nullable(), why: z.string().nullable() })),
});
const issuesSchema = z.object({
  total: z.number(),
  issues: z.array(z.object({ incidents: z.number() })),
});
const auditSchema = z.looseObject({ clean: z.boolean() });
const standingsSchema = z.object({
  notices: z.array(
    z.object({
      id: z.string(),
      alertname: z.string(),
      kind: z.string(),
      status: z.string(),
      reason: z.string().nullable(),
      why: z.string().nullable(),
      received_at: z.coerce.date(),
    }),
  ),
});
const deliveriesSchema = z.object({
  deliveries: z.array(
    z.object({
      channel: z.string(),
      status: z.string(),
      last_error: z.string().nullable(),
      sent_at: z.coerce.date().nullable(),
    }),
  ),
});
const digestSchema = z.object({ text: z.string() });

export type Counts = z.infer<typeof countsSchema>;
export type Audit = z.infer<typeof auditSchema>;
export type Standing = z.infer<typeof standingsSchema>['notices'][number];
export type Delivery = z.infer<typeof deliveriesSchema>['deliveries'][number];
type Notice = z.infer<typeof noticesSchema>['notices'][number];

export interface ConsoleApi {
  readCounts(from: Date, to: Date): Promise<Counts>;
  countNotices(): Promise<Readonly<Record<string, number>>>;
  /** Every notice in a state. */
  listNotices(state: string): Promise<readonly Notice[]>;
  /** Where the latest news about an alertname stands; undefined when there is none. */
  findNotice(alertname: string): Promise<Standing | undefined>;
  listDeliveries(notice: string): Promise<readonly Delivery[]>;
  countIssues(): Promise<{ readonly issues: number; readonly incidents: number }>;
  readAudit(): Promise<Audit>;
  /** Calls build-digest for a window and gives back its text. */
  buildDigest(event: unknown): Promise<string>;
}

/** The API at a base address; `token` is CONSOLE_TOKEN where one is set. */
export function createConsoleApi(url: string, token: string | null = null): ConsoleApi {
  const get = async <T>(path: string, schema: z.ZodType<T>): Promise<T> => {
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const { status, body } = await request({
      method: 'GET',
      url: `${url}${path}`,
      headers,
      maxBodyBytes: MAX_BODY_BYTES,
      timeoutMs: TIMEOUT_MS,
    });
    return read(schema, status, body, path);
  };
  const pages = async <T>(page: (offset: number) => Promise<readonly T[]>): Promise<T[]> => {
    const all: T[] = [];
    for (let offset = 0; ; offset += PAGE) {
      const found = await page(offset);
      all.push(...found);
      if (found.length < PAGE) return all;
    }
  };
  return {
    readCounts: (from, to) =>
      get(`/api/v1/stats?from=${from.toISOString()}&to=${to.toISOString()}`, countsSchema),
    countNotices: async () => (await get('/api/v1/notices?limit=1', noticesSchema)).byState,
    listNotices: (state) =>
      pages(async (offset) => {
        const path = `/api/v1/notices?state=${state}&limit=${PAGE}&offset=${offset}`;
        return (await get(path, noticesSchema)).notices;
      }),
    async findNotice(alertname) {
      const { notices } = await get('/api/v1/notices?limit=100', standingsSchema);
      return notices.find((notice) => notice.alertname === alertname && notice.kind === 'opened');
    },
    listDeliveries: async (notice) =>
      (await get(`/api/v1/deliveries?notice=${encodeURIComponent(notice)}`, deliveriesSchema)).deliveries,
    async countIssues() {
      const issues = await pages(async (offset) => {
        return (await get(`/api/v1/issues?limit=${PAGE}&offset=${offset}`, issuesSchema)).issues;
      });
      return {
        issues: issues.length,
        incidents: issues.reduce((sum, { incidents }) => sum + incidents, 0),
      };
    },
    readAudit: () => get('/api/v1/audit', auditSchema),
    async buildDigest(event) {
      const { status, body } = await request({
        method: 'POST',
        url: `${url}/functions/build-digest`,
        headers: { 'content-type': 'application/cloudevents+json' },
        body: JSON.stringify(event),
        timeoutMs: TIMEOUT_MS,
      });
      return read(digestSchema, status, body, 'build-digest').text;
    },
  };
}

function read<T>(schema: z.ZodType<T>, status: number, body: string, what: string): T {
  // The audit answers 503 with its numbers when they are not all zero.
  const parsed = schema.safeParse(parseJson(body));
  if (parsed.success) return parsed.data;
  throw new DependencyError(
    status === 401
      ? 'the console wants a token: set CONSOLE_TOKEN'
      : `${what} answered ${status} and not what was asked for`,
  );
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
