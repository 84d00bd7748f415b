/** doctor's look at the address that links in messages lead to: whoever taps one on a phone has to get there. */
import { isIP } from 'node:net';
import type { Environment } from '../shared/env.ts';
import { HttpFailure, request } from '../shared/http.ts';
import type { Check } from './check.ts';

const TIMEOUT_MS = 3_000;
/** Names and addresses that mean something else, or nothing, on a phone. */
const ONLY_HERE = /^(localhost|127\.|\[?::1\]?$|0\.0\.0\.0)|(\.svc|\.cluster\.local|\.internal)$/i;

/** CONSOLE_URL: set, reachable from here, the console, and an address that a phone can have too. */
export async function checkLinks({ CONSOLE_URL: url }: Environment): Promise<Check> {
  const name = 'Links';
  if (url === undefined) {
    const fix =
      'set CONSOLE_URL to the console’s address as a phone reaches it, e.g. https://alertgest.example.org';
    return { name, verdict: 'off', detail: 'CONSOLE_URL is not set; messages carry no link', fix };
  }
  const host = URL.parse(url)?.hostname ?? '';
  if (host === '') {
    const fix = 'e.g. CONSOLE_URL=https://alertgest.example.org';
    return { name, verdict: 'fail', detail: 'CONSOLE_URL is no address', fix };
  }
  const problem = await findProblem(url.replace(/\/+$/, ''));
  if (problem !== null) {
    const fix =
      'every link in a message leads there: is the console’s domain mapped (knative/overlays/company/console-domain.yaml), its certificate good, the name in the DNS?';
    return { name, verdict: 'fail', detail: `${host} ${problem}`, fix };
  }
  if (ONLY_HERE.test(host) || (isIP(host) === 0 && !host.includes('.'))) {
    const fix = 'set CONSOLE_URL to an address that phones reach';
    return { name, verdict: 'warn', detail: `${host} answers here, but a phone cannot reach it`, fix };
  }
  return { name, verdict: 'ok', detail: `${host} is the console` };
}

async function findProblem(url: string): Promise<string | null> {
  try {
    const { status, body } = await request({ method: 'GET', url: `${url}/health`, timeoutMs: TIMEOUT_MS });
    return status === 200 && body.includes('"ok"') ? null : `answers ${status} and is not the console`;
  } catch (error) {
    if (error instanceof HttpFailure) return 'cannot be reached from here';
    throw error;
  }
}
