/** What could be done to alertgest, what keeps it from happening, and the tests that prove it. `make security` runs them. */

/** A test by its file and its title as it is written there. */
export interface Check {
  readonly file: string;
  readonly title: string;
  /** Where the title's words stand, when the test is made from a table of another file. */
  readonly rows?: string;
}

export interface Threat {
  readonly number: number;
  readonly threat: string;
  readonly control: string;
  readonly checks: readonly Check[];
  /** What no test on one machine shows, and why; null when the checks are all there is to it. */
  readonly rest: string | null;
}

const MANIFESTS = 'test/integration/manifests/overlays.test.ts';
const MANIFEST_ROWS = 'test/support/manifests/checks.ts';

const check = (file: string, title: string): Check => ({ file: `test/${file}.test.ts`, title });
/** One promise of every overlay. */
const manifest = (title: string): Check => ({ file: MANIFESTS, title, rows: MANIFEST_ROWS });

export const THREATS: readonly Threat[] = [
  {
    number: 1,
    threat: 'somebody posts alerts that are none',
    control:
      'bearer token or basic auth, compared in constant time; two tokens while one is changed; no start without',
    checks: [
      check(
        'integration/functions/receive/webhooks',
        '%s is answered 401 with a reason and nothing is stored',
      ),
      check('integration/functions/receive/webhooks', '%s is enough'),
      check('unit/shared/env', 'takes two tokens for rotation, and no short ones'),
    ],
    rest: null,
  },
  {
    number: 2,
    threat: 'a pod posts events that nobody emitted',
    control: 'only the console is public; handlers take the id from an event and the facts from the row',
    checks: [
      check(
        'security/forged-events',
        'a forged event can only hasten what was due: facts stay, one push, with the facts of the row',
      ),
      check('security/forged-events', 'a forged event cannot skip a step, nor push what a person ignores'),
      check('security/forged-events', 'an event about what is nobody’s is refused for good: %j'),
      check('security/fuzz-events', 'in %s mode are refused in words or name type, id and source'),
      manifest('only the console is public'),
    ],
    rest: '`digest.due` with a span and `tell` builds and sends that digest, whoever emitted it: it costs a message and tells true figures',
  },
  {
    number: 3,
    threat: 'link previews and scanners open or press what they see',
    control: 'GET, HEAD and OPTIONS write nothing; a post needs the form that the same browser opened',
    checks: [
      check(
        'integration/functions/console/decide',
        'changes nothing for twenty programs that preview links, whatever they ask',
      ),
      check('integration/functions/console/decide', 'has no body for HEAD, and the same headers'),
    ],
    rest: null,
  },
  {
    number: 4,
    threat: 'a page of another site uses a visitor’s browser: forged posts, frames, rebound names',
    control:
      'form value bound to a `__Host-` cookie, `Sec-Fetch-Site`, CSP without scripts and frames, own names only where anyone may in',
    checks: [
      check(
        'integration/functions/console/decide',
        'needs the form that the same browser opened, and uses nothing up without it',
      ),
      check('integration/functions/console/decide', 'may not be cached, framed, indexed or told to others'),
      check(
        'integration/functions/console/pages',
        'refuses a form of another site, an old one, and a critical silenced without a word',
      ),
      check('unit/functions/console/sign-in', 'from another site is not ours, cookie or not'),
      check('security/open-console', 'does not answer under %j, which another site may point here'),
      check('security/open-console', 'takes nothing that a page of another site posts'),
    ],
    rest: null,
  },
  {
    number: 5,
    threat: 'a decision link is forwarded, guessed or used twice',
    control:
      '128 random bits and a 128-bit MAC, expiry, one use, bounded effect, undo, a limit for each network',
    checks: [
      check('unit/shared/decision-link', 'is none when any character of it is another'),
      check('security/fuzz-console', 'of a link is none, whatever it is'),
      check('security/fuzz-console', 'changes nothing, asked or posted, in the path or the header'),
      check('integration/functions/console/decide', 'has one winner of forty at once from forty networks'),
      check(
        'integration/functions/console/decide',
        'looks the same whether it was used, is over, was forged or never was',
      ),
      check(
        'integration/functions/console/decide',
        'is refused, and said loudly, when its network tries more than three within ten seconds',
      ),
      check('integration/functions/console/decide', 'is not silenced by a link: 409 and a way to sign in'),
    ],
    rest: null,
  },
  {
    number: 6,
    threat: 'text in an alert, a log line or an event instructs the model',
    control: 'the model decides nothing; its prompt holds known words, its answer is a checked shape',
    checks: [
      check('unit/functions/classify/prompt', '$title: leaves nothing of its sentence in a prompt'),
      check(
        'unit/functions/classify/verdict',
        '$title: nothing of it that links, calms or destroys gets out',
      ),
      check(
        'e2e/explanations',
        'changes nothing that decides: severity, status and rules stay as they are without a model',
      ),
    ],
    rest: null,
  },
  {
    number: 7,
    threat: 'text of an alert becomes markup, a mention or a template in a chat, a card, a mail or a page',
    control: 'hidden characters go, every channel escapes for itself, pages escape everything',
    checks: [
      check('unit/functions/notify/channels/hostile', 'every channel shows text and only our own links'),
      check('unit/functions/notify/text', 'leaves nothing hidden in: $title'),
      check('unit/functions/notify/message', 'keeps its lines and links in spite of: $title'),
      check(
        'integration/functions/console/pages',
        'of labels, annotations, notes, channels and providers renders as text on every page',
      ),
      check('security/source', 'mark no text as safe HTML but the style sheet and one attribute of ours'),
    ],
    rest: null,
  },
  {
    number: 8,
    threat: 'a link in a message carries facts away or leads astray',
    control:
      'http and https only, no credentials, 512 characters, `LINK_ALLOWED_HOSTS`; the model’s links are dropped',
    checks: [
      check('unit/functions/notify/links', 'are not fooled by a user, a suffix or letters of another script'),
      check('unit/functions/notify/links', 'are left out of messages and facts where they lead elsewhere'),
      check('unit/functions/notify/text', 'turns addresses into text'),
    ],
    rest: 'without `LINK_ALLOWED_HOSTS` a runbook may lead anywhere, because runbooks are on the internet',
  },
  {
    number: 9,
    threat: 'alertgest is made to ask an address of the attacker’s choice',
    control:
      'addresses of alerts are never fetched; one client for all calls, no redirects, no link-local address, checked when connecting',
    checks: [
      check(
        'security/source',
        'ask other servers only through the client that checks addresses and follows no redirect',
      ),
      check('integration/shared/http', 'never connects to %s'),
      check('integration/shared/http', 'never connects to a name that turns into a blocked address'),
      check('integration/shared/http', 'refuses a redirect'),
      check('integration/functions/notify/channels', 'gives up on a redirect and does not follow it'),
    ],
    rest: null,
  },
  {
    number: 10,
    threat: 'a provider’s address or key gets out with an error',
    control: 'errors name protocol and host; vendors’ sentences are not repeated',
    checks: [
      check('integration/functions/notify/channels', 'keeps address paths and secrets out of every error'),
      check(
        'integration/functions/notify/email',
        'keeps addresses, passwords and what the server said out of every error',
      ),
      check('integration/shared/http', 'names protocol and host in errors and nothing else of the address'),
      check('security/secrets', 'has no credentials of an address: text, cause and stack'),
    ],
    rest: null,
  },
  {
    number: 11,
    threat: 'secrets stand in manifests, variables or the repository',
    control:
      'every secret can come from a file (`…_FILE`); manifests name Secrets and hold none; errors name variables, never values',
    checks: [
      check('unit/shared/env', 'reads a secret from the file that <NAME>_FILE names, without its line end'),
      check('unit/shared/env', 'names every bad variable at once and never a value'),
      manifest('no secret is written out'),
      check('integration/manifests/overlays', 'holds names and no values'),
      check('integration/cli/routes', 'tells every problem of every function at once, never a value'),
    ],
    rest: null,
  },
  {
    number: 12,
    threat: 'a function may do more in the cluster than it needs',
    control: 'only classify and build-digest hold a token of the cluster; get and list, no Secrets, no exec',
    checks: [
      manifest('rights equal calls'),
      check('integration/shared/cluster', 'makes exactly the calls that RBAC has to allow'),
    ],
    rest: '`kubectl auth can-i` needs a cluster; the same rights are read from the rendered manifests',
  },
  {
    number: 13,
    threat: 'from a broken-into pod to the next',
    control: 'network policies deny everything but the paths that are used',
    checks: [manifest('the network is closed')],
    rest: 'that the cluster’s network enforces policies shows only there; a policy does not say who calls',
  },
  {
    number: 14,
    threat: 'out of a container',
    control:
      'restricted pods: no root, no capabilities, read-only, seccomp; an image without a shell, bases by digest',
    checks: [
      manifest('pods are restricted'),
      manifest('images are pinned'),
      check('unit/build/dockerfile', 'ends as a user without rights, in a runtime without a shell'),
    ],
    rest: null,
  },
  {
    number: 15,
    threat: 'a pattern or a text that takes for ever',
    control: 'patterns that people write are RE2; no expression of ours takes more than linear time',
    checks: [
      check('security/fuzz-routes', 'takes no longer than linear for patterns that nest'),
      check('unit/shared/matchers', 'answer at once whatever the pattern'),
      check('security/slow-text', 'is read by %s in linear time'),
      check('security/source', 'make no regular expression of what people wrote'),
    ],
    rest: null,
  },
  {
    number: 16,
    threat: 'bodies that are huge, deep, packed, slow or endless',
    control:
      '16 MiB, 20 levels, bounded labels, no packed bodies, a pace; YAML without aliases and with bounded work',
    checks: [
      check('unit/shared/json', 'refuses depth before it parses, in linear time'),
      check('integration/functions/receive/bad-input', '$id $title'),
      check('integration/functions/receive/bad-input', 'memory comes back'),
      check(
        'security/fuzz-webhooks',
        'with mutations are stored or refused in words, and each alert is told of',
      ),
      check('security/fuzz-webhooks', 'takes every alert that receive finds usable'),
      check(
        'security/fuzz-routes',
        'of a bomb of aliases, or nested without end, is a problem within a second',
      ),
      check(
        'security/fuzz-decision-files',
        'of many keys, of aliases of aliases or nested without end is refused within seconds',
      ),
    ],
    rest: null,
  },
  {
    number: 17,
    threat: 'keys such as `__proto__` change what every object inherits',
    control: 'parsed values are copied entry by entry; records are looked up by own keys',
    checks: [
      check('unit/shared/alert', 'turns labels that are no texts into texts without polluting prototypes'),
      check('security/fuzz-webhooks', 'of any JSON or bytes are refused in words or usable'),
      check('security/fuzz-decision-files', 'with edits is read or refused in words'),
      check(
        'security/fuzz-patterns',
        'never throws, does not depend on the order of labels, and accounts for each of them',
      ),
    ],
    rest: null,
  },
  {
    number: 18,
    threat: 'text of an alert or a request becomes SQL',
    control: 'parameters only; a statement is never put together from values',
    checks: [
      check('security/source', 'put nothing into SQL but constants'),
      check('security/fuzz-console', 'answers any cursor and query with a page or a problem'),
      check('security/roles', 'alerts are stored, swept and decided on by it'),
      check('security/roles', '%s is refused to it'),
    ],
    rest: 'which role `DATABASE_URL` names is the operator’s',
  },
  {
    number: 19,
    threat: 'text of an alert becomes a Redis key or command',
    control: 'a key is a prefix and a pattern’s hash; no scripts; Redis is a copy that Postgres overrules',
    checks: [
      check(
        'security/fuzz-patterns',
        'never throws, does not depend on the order of labels, and accounts for each of them',
      ),
      check('integration/shared/redis', 'never wins over Postgres when its generation is another'),
      check('security/roles', 'reads and writes copies of decisions and nothing else'),
    ],
    rest: null,
  },
  {
    number: 20,
    threat: 'line breaks in an alert forge headers of a request or a mail',
    control: 'header values are checked where they are sent; mail’s are encoded',
    checks: [
      check(
        'integration/shared/http',
        'refuses header values that could forge a header, naming the header only',
      ),
      check('integration/functions/notify/email', 'delivers, with no header more, in spite of: $title'),
    ],
    rest: null,
  },
  {
    number: 21,
    threat: 'forged log lines, and secrets in logs and prompts',
    control: 'one JSON object a line, bounded fields, no bodies and headers; prompts are masked',
    checks: [
      check(
        'security/secrets',
        'holds nothing of headers, labels, annotations and addresses, taken or refused',
      ),
      check('security/secrets', 'keeps each line one line of JSON, whatever an alert says'),
      check('integration/functions/receive/bad-input', 'every line of the log is one JSON object'),
      check('unit/shared/prompt-text', 'masks %s'),
    ],
    rest: null,
  },
  {
    number: 22,
    threat: 'the model’s server is used by others, or does what a text says',
    control: 'not reachable from outside; no tools; a bounded, checked answer',
    checks: [
      check('security/source', 'give the model no tools'),
      check('integration/shared/model', 'sends the window, the limits and the schema with /api/chat'),
      check('security/model-answers', 'is stored whatever characters it is made of'),
      manifest('only the console is public'),
      manifest('the network is closed'),
    ],
    rest: null,
  },
  {
    number: 23,
    threat: 'more than can be worked off',
    control:
      'a bounded queue answers 503, which Alertmanager sends again; storms are summed up; issues of our own are bounded',
    checks: [
      check(
        'security/floods',
        'alerts beyond the queue are refused with 503, which Alertmanager sends again',
      ),
      check('security/floods', 'forged dead letters make no more than a bounded number of issues'),
      manifest('scale is bounded'),
    ],
    rest: 'no limit for one sender: Alertmanager is the only one, and who has its token can fill the queue',
  },
  {
    number: 24,
    threat: 'names of machines and customers leave with messages and prompts',
    control:
      'prompts hold known words only, unless `LLM_INCLUDE_TEXT` says otherwise; routes decide which channel gets what',
    checks: [
      check('unit/functions/classify/prompt', 'keeps whole sentences only when LLM_INCLUDE_TEXT allows it'),
    ],
    rest: 'there is no mode that sends titles only: a message carries title, summary and facts; send what must stay inside to a webhook of your own',
  },
  {
    number: 25,
    threat: 'nobody can say who silenced what',
    control:
      'decisions are append-only with actor, time, note and generation; a link’s use keeps its network',
    checks: [
      check('integration/functions/console/api', 'keeps decisions as they were said'),
      check(
        'integration/functions/console/decide',
        'opens pages and API, makes the person the actor, and does not work from another site',
      ),
    ],
    rest: null,
  },
  {
    number: 26,
    threat: 'a package or an image that is not what it was',
    control:
      'a lock file with checksums from one registry, no install scripts, few packages, bases by digest',
    checks: [
      check('unit/build/supply', 'passes every check that needs no network'),
      check('unit/build/supply', 'fails with more direct packages than 25'),
      check('unit/build/dockerfile', 'names each base by its digest'),
      check(
        'unit/build/dockerfile',
        'runs no script of a package and takes nothing but what the lock file names',
      ),
    ],
    rest: 'signatures and known holes need the network: `make check-supply`',
  },
];
