/**
 * The fault matrix: what may break, and the tests that prove what happens then. A test of a row begins with its number
 * (F07 …) or stands with the function it is about. Rows without a test say why one machine cannot have one.
 */

/** Where a row is proved: a file, and the beginning of the name of a test in it. */
export interface FaultTest {
  readonly file: string;
  readonly name: string;
}

export interface FaultRow {
  readonly row: number;
  readonly fault: string;
  /** What must be true all the same. */
  readonly expected: string;
  readonly tests: readonly FaultTest[];
  /** What no test here can show, and why. */
  readonly limit?: string;
}

const own = (file: string, ...names: readonly string[]): FaultTest[] =>
  names.map((name) => ({ file: `test/faults/${file}.test.ts`, name }));
const e2e = (file: string, ...names: readonly string[]): FaultTest[] =>
  names.map((name) => ({ file: `test/e2e/${file}.test.ts`, name }));
const integration = (file: string, ...names: readonly string[]): FaultTest[] =>
  names.map((name) => ({ file: `test/integration/${file}.test.ts`, name }));

const DIGEST = 'functions/build-digest/delivery';
const EXPLAIN = 'functions/classify/explain';

/** Every row, in order. */
export const MATRIX: readonly FaultRow[] = [
  {
    row: 1,
    fault: 'PostgreSQL dies of SIGKILL in a burst and is back after 20 s',
    expected: 'nothing lost, 503 within 3 s meanwhile, all final a minute later',
    tests: own('stores.slow', 'F01'),
  },
  {
    row: 2,
    fault: 'PostgreSQL is away for longer than the broker tries',
    expected: 'two sweeps carry everything to its end',
    tests: own('stores.slow', 'F02'),
    limit:
      'away until the broker has given up (about ten seconds), not ten minutes: nothing else depends on the length',
  },
  {
    row: 3,
    fault: 'PostgreSQL takes connections and answers nothing',
    expected: '503 within 7 s, whole again within 10 s, no socket left behind',
    tests: [...own('postgres', 'F03'), ...e2e('faults/stores', 'takes connections and never answers')],
  },
  {
    row: 4,
    fault: 'PostgreSQL answers 300 ms late',
    expected: 'no error, no webhook waits 2 s',
    tests: own('postgres', 'F04'),
  },
  {
    row: 5,
    fault: 'PostgreSQL has no connection left',
    expected: '503 or stored, nothing lost, no process ends',
    tests: own('postgres', 'F05'),
  },
  {
    row: 6,
    fault: 'PostgreSQL is read-only, as with a full disk',
    expected: 'no false 2xx, not ready',
    tests: own('postgres', 'F06'),
  },
  {
    row: 7,
    fault: 'transactions that deadlock',
    expected: 'run again, nobody sees an error',
    tests: [...own('postgres', 'F07'), ...integration('shared/postgres', 'that are deadlocks are run again')],
  },
  {
    row: 8,
    fault: 'Redis is killed',
    expected: 'decisions come from PostgreSQL, no wrong push, 300 ms at most',
    tests: [...own('redis', 'F08'), ...e2e('faults/stores', 'is killed')],
  },
  {
    row: 9,
    fault: 'Redis hangs',
    expected: 'a read waits 200 ms at most',
    tests: own('redis', 'F09'),
  },
  {
    row: 10,
    fault: 'Redis evicts, or refuses to write',
    expected: 'what is ignored stays ignored, no request fails',
    tests: own('redis', 'F10'),
  },
  {
    row: 11,
    fault: 'Redis comes back empty',
    expected: 'filled again, what is ignored stays ignored',
    tests: own('redis', 'F11'),
  },
  {
    row: 12,
    fault: 'Redis is stale: a decision was taken back while it was cut off',
    expected: 'PostgreSQL wins within 5 s',
    tests: [...own('redis', 'F12'), ...e2e('faults/stores', 'holds the copy of a decision')],
  },
  {
    row: 13,
    fault: 'PostgreSQL and Redis are away together',
    expected: '503, nothing is silently suppressed',
    tests: own('postgres', 'F13'),
  },
  {
    row: 14,
    fault: 'one event ten times at once',
    expected: 'one effect, one push',
    tests: e2e('faults/broker', 'F14', 'delivers everything twice'),
  },
  {
    row: 15,
    fault: 'an event again after a day and after eight',
    expected: 'no further push',
    tests: own('repeats', 'F15'),
  },
  {
    row: 16,
    fault: 'webhooks repeated, groups that grow',
    expected: 'one push an incident',
    tests: e2e('alertmanager', 'F16'),
  },
  {
    row: 17,
    fault: 'two Alertmanagers that do not know each other',
    expected: 'one episode, one push',
    tests: e2e('alertmanager', 'F17'),
  },
  {
    row: 18,
    fault: 'a start that moves earlier',
    expected: 'the same episode, its start corrected',
    tests: e2e('faults/resolves', 'F18'),
  },
  {
    row: 19,
    fault: 'a resolve before its firing',
    expected: 'no firing push after it',
    tests: e2e('faults/resolves', 'F19'),
  },
  {
    row: 20,
    fault: 'fires, resolves and fires within a second',
    expected: 'two episodes; the same story is told once',
    tests: e2e('faults/resolves', 'F20'),
  },
  {
    row: 21,
    fault: 'a short alert while receive is down',
    expected: 'the digest names it',
    tests: own('repeats', 'F21'),
    limit: 'nothing can receive it; Prometheus’ own ALERTS series is the witness, here a recorded answer',
  },
  {
    row: 22,
    fault: 'Alertmanager cuts alerts off (max_alerts)',
    expected: 'counted, and named by the digest',
    tests: own('repeats', 'F22'),
  },
  {
    row: 23,
    fault: 'a provider that answers for ever',
    expected: 'cut off after 10 s, other channels within 3 s',
    tests: [
      ...own('providers', 'F23'),
      ...integration('functions/notify/delivery', 'that hangs delays no other'),
    ],
  },
  {
    row: 24,
    fault: 'a provider that asks for a pause',
    expected: 'it gets the pause, one try in it',
    tests: [...own('load.slow', 'F24'), ...e2e('faults/providers', 'F24')],
  },
  {
    row: 25,
    fault: 'a provider that says 200 with an error in the body',
    expected: 'a failure, never "sent"',
    tests: integration('functions/notify/channels', 'takes a 200 with an error body'),
  },
  {
    row: 26,
    fault: 'a provider that refuses the token',
    expected: 'dead, the fallback within 10 s',
    tests: [...own('providers', 'F26'), ...e2e('faults/providers', 'F26')],
    limit: 'dead deliveries make the audit and so the heartbeat fail; no alert of its own is raised',
  },
  {
    row: 27,
    fault: 'notify dies between the provider’s yes and its mark',
    expected: 'sent again under the same key, marked as possibly repeated',
    tests: e2e('faults/providers', 'F27'),
  },
  {
    row: 28,
    fault: 'the connection breaks after the provider read the message',
    expected: 'sent again, marked; never lost',
    tests: [...own('providers', 'F28'), ...e2e('faults/providers', 'F28')],
  },
  {
    row: 29,
    fault: 'a provider is down while messages pile up',
    expected: 'two sends a second at most, then one message about all that waited',
    tests: [
      ...own('providers', 'F29'),
      ...integration('functions/notify/delivery', 'is told of what it missed in one message'),
    ],
  },
  {
    row: 30,
    fault: 'Alertmanager tries again and again',
    expected: 'half a core at most, no row twice',
    tests: own('load.slow', 'F30'),
    limit: 'for a minute, not ten; skipped where no Alertmanager is installed',
  },
  {
    row: 31,
    fault: 'five hundred webhooks while everything is at zero',
    expected: 'all stored within 15 s, 52 connections at most',
    tests: own('load.slow', 'F31'),
  },
  {
    row: 32,
    fault: 'the broker refuses events',
    expected: 'receive says 200, the sweep publishes later',
    tests: e2e('faults/broker', 'F32'),
  },
  {
    row: 33,
    fault: 'the broker forgets events it took',
    expected: 'the sweep carries every notice to its end',
    tests: e2e('faults/broker', 'F33'),
  },
  {
    row: 34,
    fault: 'a broker that answers after its deliveries, and a model that hangs',
    expected: 'receive answers within 3.5 s',
    tests: own('upkeep', 'F34'),
  },
  {
    row: 35,
    fault: 'poison: deep, huge, of the wrong type, not text',
    expected: '400 or 413 at the door, others flow, no process ends',
    tests: [...own('repeats', 'F35'), ...integration('functions/receive/bad-input', 'the corpus is whole')],
  },
  {
    row: 36,
    fault: 'the place for dead letters is dead',
    expected: 'nothing lost',
    tests: own('processes.slow', 'F36'),
  },
  {
    row: 37,
    fault: 'SIGTERM in the middle of work, two hundred times',
    expected: 'ended within 10 s, nothing lost',
    tests: [...own('processes.slow', 'F37'), ...e2e('faults/providers', 'notify is stopped politely')],
  },
  {
    row: 38,
    fault: 'SIGKILL in the middle of work, as by the OOM killer',
    expected: 'nothing lost',
    tests: own('processes', 'F38'),
  },
  {
    row: 39,
    fault: 'the clock of a machine is two hours wrong',
    expected: 'nothing twice, nothing lost; the database’s time counts',
    tests: own('processes', 'F39'),
  },
  {
    row: 40,
    fault: 'the clocks change',
    expected: 'windows neither overlap nor leave a gap, in every zone, 2024 to 2030',
    tests: integration(
      'shared/capture-window',
      'of every zone neither overlap',
      'hold each moment of 2024 to 2030',
      'have the lengths that the clocks make',
    ),
  },
  {
    row: 41,
    fault: 'a window’s edge in the hour that is missing or comes twice',
    expected: 'after the gap, with the first of the fold; Node and SQL agree',
    tests: integration('shared/capture-window', 'begin after a gap and with the first of a fold'),
  },
  {
    row: 42,
    fault: 'ticks of the schedule are lost',
    expected: 'the sweep makes up for them',
    tests: integration(DIGEST, 'is not built before the grace is over, and the sweep makes up for the tick'),
  },
  {
    row: 43,
    fault: 'two ticks, or twenty, at once',
    expected: 'one digest',
    tests: integration(DIGEST, 'is one for twenty ticks at once'),
  },
  {
    row: 44,
    fault: 'build-digest or notify dies at any step of a digest',
    expected: 'told once; where the provider has no key twice at most, marked',
    tests: integration(
      DIGEST,
      'before the tick arrives',
      'after the claim, with nothing built',
      'while it reads its facts',
      'again and again, and is then told in one line',
      'after a slow builder lost its claim',
      'after it is stored, with its event lost',
      'after its deliveries are planned',
      "between the provider's yes and our mark",
      'after the message is marked as sent',
    ),
  },
  {
    row: 45,
    fault: 'no cluster for three days',
    expected: 'one digest covers every window',
    tests: integration(DIGEST, 'of three days without a cluster', 'of a weekend waits for Monday'),
  },
  {
    row: 46,
    fault: 'the model hangs',
    expected: 'a critical is told at most 50 ms later',
    tests: [
      ...own('load.slow', 'F46'),
      ...integration(EXPLAIN, 'lets nobody wait longer than EXPLAIN_WAIT while the model hangs'),
    ],
  },
  {
    row: 47,
    fault: 'the model answers garbage, white space or another shape',
    expected: 'one repair, then the rules alone; nothing unchecked gets out',
    tests: [
      ...own('model', 'F47'),
      ...integration(
        'shared/model',
        'is repaired once, with what was wrong',
        'ends as $reason when the answer is $answer',
      ),
      ...integration(EXPLAIN, 'that answers $answer ends as no explanation: $why'),
    ],
  },
  {
    row: 48,
    fault: 'the model cut its prompt',
    expected: 'always noticed, never used',
    tests: [
      ...integration(
        'shared/model',
        'ends as $reason when the answer is $answer',
        'is not sent when the prompt cannot fit',
      ),
      ...integration(EXPLAIN, 'that answers $answer ends as no explanation: $why'),
    ],
  },
  {
    row: 49,
    fault: 'texts of alerts, and the model, say "ignore this alert"',
    expected: 'nothing is suppressed or made quieter',
    tests: own('model', 'F49'),
  },
  {
    row: 50,
    fault: 'the Kubernetes API refuses or hangs',
    expected: 'no context, said so, bounded time',
    tests: integration(
      'shared/cluster',
      'says what it may not look at, and what did not answer in time',
      'ends with the signal of its caller',
    ),
  },
  {
    row: 51,
    fault: 'old code runs on the new schema',
    expected: 'both work',
    tests: own('upkeep', 'F51'),
    limit:
      'there is no earlier release whose code could run; the test holds every later migration to additions',
  },
  {
    row: 52,
    fault: 'a rolling upgrade under load',
    expected: 'nothing lost, no more repeats than restarts',
    tests: own('processes.slow', 'F52'),
  },
  {
    row: 53,
    fault: 'ten thousand alerts in a minute',
    expected: 'below 200 MB a function, summaries, criticals first',
    tests: own('load.slow', 'F53'),
  },
  {
    row: 54,
    fault: 'retention deletes while alerts come',
    expected: 'no lock is waited for 200 ms, no webhook waits 500 ms',
    tests: own('upkeep', 'F54'),
  },
  {
    row: 55,
    fault: 'alertgest is dead, or stuck',
    expected: 'the heartbeat stays away, so the watcher outside alarms',
    tests: own('upkeep', 'F55'),
    limit: 'the alarm itself is the outside service’s; within a minute nobody pings it any more',
  },
];
