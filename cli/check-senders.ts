/** doctor's look at whoever sends alerts: does receive take our token, and does Alertmanager pass everything on. */
import { parse } from 'yaml';
import { z } from 'zod';
import { toClockCheck } from '../shared/diagnosis.ts';
import type { Environment } from '../shared/env.ts';
import { HttpFailure, request } from '../shared/http.ts';
import type { HttpResponse } from '../shared/http.ts';
import type { Check } from './check.ts';
import { isReachable, toPlace } from './reach.ts';

const TIMEOUT_MS = 3_000;
/** An AlertmanagerConfig's route carries it for the namespace it lies in. */
const NAMESPACE_MATCHER = /^"?\{?\s*namespace\s*=/;

/** Whether receive takes the token of RECEIVE_TOKEN; a dry run, which stores nothing. Nothing when nobody listens there. */
export async function checkToken(url: string, env: Environment): Promise<Check[]> {
  const name = 'Token';
  const token = env['RECEIVE_TOKEN']?.split(',')[0]?.trim();
  const basic = env['RECEIVE_BASIC_AUTH'];
  if (!(await isReachable(url))) return [];
  if (token === undefined && basic === undefined)
    return [
      { name, verdict: 'off', detail: 'RECEIVE_TOKEN is not set; it is the one that Alertmanager sends' },
    ];
  const authorization =
    token === undefined ? `Basic ${Buffer.from(basic ?? '').toString('base64')}` : `Bearer ${token}`;
  const answer = await ask(`${url}/api/v1/alerts?dry_run`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ version: '4', status: 'firing', alerts: [] }),
  });
  const place = toPlace(url) ?? url;
  if (answer === null || answer.status === 404)
    return [{ name, verdict: 'off', detail: `receive is not at ${place}; --receive names its address` }];
  if (answer.status === 401) {
    const fix =
      'RECEIVE_TOKEN here, in receive and in Alertmanager’s http_config.authorization must be the same; while you rotate, receive takes two: old,new';
    return [{ name, verdict: 'fail', detail: `receive at ${place} refuses it`, fix }];
  }
  return [{ name, verdict: 'ok', detail: `receive at ${place} takes it` }];
}

interface Route {
  readonly receiver?: string | undefined;
  readonly matchers?: readonly unknown[] | undefined;
  readonly match?: Readonly<Record<string, unknown>> | undefined;
  readonly routes?: readonly Route[] | undefined;
}

const routeSchema: z.ZodType<Route> = z.lazy(() =>
  z.object({
    receiver: z.string().optional(),
    matchers: z.array(z.unknown()).optional(),
    match: z.record(z.string(), z.unknown()).optional(),
    routes: z.array(routeSchema).optional(),
  }),
);
const configSchema = z.object({
  route: routeSchema,
  receivers: z.array(z.object({ name: z.string(), webhook_configs: z.array(z.looseObject({})).nullish() })),
});
const statusSchema = z.object({ config: z.object({ original: z.string() }) });

/** Alertmanager's clock, and whether its configuration sends us the alerts of every namespace. */
export async function checkAlertmanager({ ALERTMANAGER_URL: url }: Environment): Promise<Check[]> {
  const name = 'Alertmanager';
  if (url === undefined)
    return [
      { name, verdict: 'off', detail: 'ALERTMANAGER_URL is not set; with it its routes are looked at' },
    ];
  const place = toPlace(url) ?? 'ALERTMANAGER_URL';
  const answer = await ask(`${url.replace(/\/+$/, '')}/api/v2/status`, { method: 'GET' });
  const status = statusSchema.safeParse(parseJson(answer?.body ?? ''));
  if (answer === null || !status.success) {
    const fix = 'is it Alertmanager, and can this machine reach it?';
    return [{ name, verdict: 'warn', detail: `${place} does not tell its configuration`, fix }];
  }
  const date = Date.parse(answer.headers['date'] ?? '');
  const clock = Number.isNaN(date) ? [] : [toClockCheck(`${name} clock`, place, date - Date.now())];
  const config = configSchema.safeParse(parse(status.data.config.original));
  if (!config.success)
    return [
      {
        name,
        verdict: 'warn',
        detail: `${place} has routes that cannot be read here`,
        fix: 'amtool config routes',
      },
      ...clock,
    ];
  return [judgeRoutes(place, config.data), ...clock];
}

/** What the routes send us. */
function judgeRoutes(place: string, { route, receivers }: z.infer<typeof configSchema>): Check {
  const name = 'Alertmanager';
  const ours = new Set(receivers.filter((one) => isOurs(one)).map((one) => one.name));
  const ways = waysTo(route, ours, false);
  if (ways.length === 0) {
    const fix =
      'add a receiver with webhook_configs.url …/api/v1/alerts and a route with continue: true (docs/operations.md)';
    return { name, verdict: 'fail', detail: `${place} sends nothing to alertgest`, fix };
  }
  if (ways.every(({ isNarrow }) => isNarrow)) {
    const fix =
      'set alertmanagerConfigMatcherStrategy.type: None in the Alertmanager resource, or put the route into its global configuration';
    return { name, verdict: 'fail', detail: `${place} sends only the alerts of one namespace`, fix };
  }
  return { name, verdict: 'ok', detail: `${place} has a route to alertgest` };
}

/** By its name, or by its address where Alertmanager shows it. */
function isOurs({ name, webhook_configs }: { name: string; webhook_configs?: unknown }): boolean {
  return /alertgest/i.test(name) || JSON.stringify(webhook_configs ?? '').includes('/api/v1/alerts');
}

function waysTo(
  route: Route,
  ours: ReadonlySet<string>,
  isNarrowAbove: boolean,
): Array<{ isNarrow: boolean }> {
  const isNarrow =
    isNarrowAbove ||
    route.match?.['namespace'] !== undefined ||
    (route.matchers ?? []).some((matcher) => typeof matcher === 'string' && NAMESPACE_MATCHER.test(matcher));
  const here = route.receiver !== undefined && ours.has(route.receiver) ? [{ isNarrow }] : [];
  return [...here, ...(route.routes ?? []).flatMap((child) => waysTo(child, ours, isNarrow))];
}

async function ask(
  url: string,
  options: { method: string; headers?: Record<string, string>; body?: string },
): Promise<HttpResponse | null> {
  try {
    return await request({ url, timeoutMs: TIMEOUT_MS, maxBodyBytes: 4 * 1024 * 1024, ...options });
  } catch (error) {
    if (error instanceof HttpFailure) return null;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
