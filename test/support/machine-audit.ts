/**
 * The proof after a fault, from both ends: what the database says was sent is in the provider's ledger, what the ledger
 * holds is in the database, every notice is final, and what people saw is exactly what they had to see.
 */
import type { TestAlert, TestMachine } from './machine.ts';
import type { Sink } from './sinks.ts';

/** What is wrong, in words; and how many messages came twice. */
export interface MachineAudit {
  readonly violations: readonly string[];
  /** Messages that a person saw again although the database knows of one sending. */
  readonly repeats: number;
}

interface SentDelivery {
  readonly id: string;
  readonly notice: string | null;
  readonly incident: string | null;
  readonly status: string;
  readonly provider_id: string | null;
  readonly attempts: number;
}

/** What can be audited: a machine of a test, or of a bench. */
export type Audited = Pick<TestMachine, 'query' | 'get' | 'crashes' | 'sink'>;

/** Audits a machine whose only channel is one keyed sink (ntfy). */
export async function auditMachine(machine: Audited): Promise<MachineAudit> {
  const { sink } = machine;
  const violations: string[] = [];
  const moving = await machine.query<{ id: string; status: string; missing: string }>(
    `select n.id, n.status from notices n left join batches b on b.id = n.batch
     where n.status not in ('suppressed', 'notified', 'digested', 'dead') and not (n.status = 'held' and b.closed_at is null)`,
  );
  for (const { id, status } of moving) violations.push(`${id} is not final: ${status}`);
  const deliveries = await machine.query<SentDelivery>(
    `select d.id::text, d.notice, n.incident, d.status, d.provider_id, d.attempts
     from deliveries d left join notices n on n.id = d.notice`,
  );
  const open = deliveries.filter(({ status }) => status === 'planned' || status === 'sending');
  for (const { id, notice } of open) violations.push(`delivery ${id} of ${notice ?? '?'} is not final`);
  const answers = new Set(sink.yeses.map(({ answer }) => readId(answer)));
  const known = new Set<string>();
  for (const { id, notice, status, provider_id } of deliveries) {
    if (status !== 'sent') continue;
    if (provider_id === null || !answers.has(provider_id))
      violations.push(
        `delivery ${id} of ${notice ?? '?'} says sent, the ledger has no ${provider_id ?? 'id'}`,
      );
    known.add(provider_id ?? '');
  }
  const incidents = new Set(deliveries.map(({ incident }) => incident));
  let repeats = 0;
  for (const { push, answer } of sink.yeses) {
    if (known.has(readId(answer))) continue;
    if (push.key !== null && incidents.has(push.key)) repeats++;
    else violations.push(`the ledger has a message that nobody planned: ${push.title}`);
  }
  const { clean, ...numbers } = await machine.get<{ clean: boolean } & Record<string, number>>(
    '/api/v1/audit',
  );
  if (!clean) violations.push(`the audit is not clean: ${JSON.stringify(numbers)}`);
  for (const crash of machine.crashes) violations.push(crash);
  return { violations, repeats };
}

/**
 * How often a person was told of the beginning of each alert's issue, by alertname; each name once when all is well. What
 * alertgest says about itself (a dead letter, say) is no alert's.
 */
export async function toldNames(machine: TestMachine, sink: Sink = machine.sink): Promise<string[]> {
  const rows = await machine.query<{ id: string; alertname: string; own: boolean }>(
    'select i.id, p.alertname, p.own from incidents i join patterns p using (pattern)',
  );
  const names = new Map(rows.map(({ id, alertname }) => [id, alertname]));
  const own = new Set(rows.flatMap((row) => (row.own ? [row.id] : [])));
  return sink.pushes
    .filter(({ title, key }) => !title.startsWith('✅') && !own.has(key ?? ''))
    .map(({ key }) => names.get(key ?? '') ?? `nothing known as ${key ?? 'null'}`)
    .toSorted();
}

/** The names that must have been told, each once: the exact multiset. */
export function namesOf(alerts: readonly TestAlert[]): string[] {
  return alerts.map(({ labels }) => labels['alertname'] ?? '').toSorted();
}

/** Sweeps until nothing is on its way. */
export async function sweepUntilFinal(machine: TestMachine, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    await machine.sweep().catch((error: unknown) => {
      if (performance.now() > deadline) throw error;
    });
    await machine.machine.broker.idle();
    const [row] = await machine.query<{ moving: number }>(
      `select (select count(*) from notices where status in ('received', 'classified', 'admitted'))::int
         + (select count(*) from deliveries where status in ('planned', 'sending'))::int as moving`,
    );
    if (row?.moving === 0) return;
    if (performance.now() > deadline) throw new Error(`${row?.moving ?? '?'} rows are still on their way`);
    await new Promise((done) => setTimeout(done, 200));
  }
}

/** The provider's name for a message: the `id` of an ntfy answer. */
function readId(answer: string): string {
  return (JSON.parse(answer) as { id?: string }).id ?? '';
}
