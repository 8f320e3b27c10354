/** Who may import whom, as the README draws it. */
import { join } from 'node:path';
import { cruise, type ICruiseResult, type IForbiddenRuleType } from 'dependency-cruiser';
import { beforeAll, describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '..');

const only = (name: string, packageName: string, places: string): IForbiddenRuleType => ({
  name,
  severity: 'error',
  from: { pathNot: places },
  to: { path: `node_modules/${packageName}/` },
});

const forbidden: IForbiddenRuleType[] = [
  {
    name: 'dialogs import xstate and themselves',
    severity: 'error',
    from: { path: '^dialogs/' },
    to: { pathNot: '^(dialogs/|node_modules/xstate/)' },
  },
  {
    name: 'nothing goes in a circle',
    severity: 'error',
    from: {},
    to: { circular: true, dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'only main.ts knows of main.ts',
    severity: 'error',
    from: {},
    to: { path: '^src/main[.]ts$' },
  },
  {
    name: 'the understanding knows no channel and no ledger',
    severity: 'error',
    from: { path: '^src/understanding/' },
    to: { path: '^src/(channels|ledger|cli)/' },
  },
  {
    name: 'the ledger knows no conversation',
    severity: 'error',
    from: { path: '^src/ledger/' },
    to: { path: '^src/(channels|cli|understanding|conversations|turn|content)' },
  },
  {
    name: 'conversations know no channel and no server',
    severity: 'error',
    from: { path: '^src/conversations/' },
    to: { path: '^src/(channels|cli|identity|privacy|server|web)' },
  },
  {
    name: 'the storage knows nothing of what is stored',
    severity: 'error',
    from: { path: '^src/storage/' },
    to: { path: '^src/(?!storage/|startup-problem)' },
  },
  only('xstate stays in the dialogs and the turn', 'xstate', '^(dialogs/|src/turn[.]ts$)'),
  only('natural stays in the understanding', 'natural', '^src/understanding/'),
  only('botbuilder stays in the channels', 'botbuilder[^/]*', '^src/channels/'),
  only(
    'restify stays with the server and what is mounted on it',
    'restify',
    '^src/(server|web/|channels/|identity/|servicedesk/|ledger/api/|privacy/records|cli/ledger-parts)',
  ),
  only(
    'PostgreSQL stays in the storage',
    '(pg|pg-boss|pg-copy-streams|node-pg-migrate|keyv|@keyv/[^/]+)',
    '^src/storage/',
  ),
  only(
    'signing tokens stays where they are read',
    'jose',
    '^src/(channels/direct-line/tokens|channels/bot-framework/authentication|ledger/api/access)[.]ts$',
  ),
  only(
    'OpenID stays with the identity and the bot’s own credentials',
    '(openid-client|oidc-provider)',
    '^src/(identity/|channels/bot-framework/credentials[.]ts$)',
  ),
  only('the ledger’s client has cockatiel', 'cockatiel', '^src/ledger/http-ledger[.]ts$'),
  only(
    'whoever calls others often has undici',
    'undici',
    '^src/(ledger/http-ledger|channels/bot-framework/delivery)[.]ts$',
  ),
  only('canonical JSON stays with the chain', 'canonicalize', '^src/ledger/chain[.]ts$'),
  only(
    'rate limits stay with the ledger’s API and the storage',
    'rate-limiter-flexible',
    '^src/(ledger/api/rest|storage/limiter)[.]ts$',
  ),
  only('who stands behind a proxy is told in one place', 'proxy-addr', '^src/web/requests[.]ts$'),
  only('WebSockets stay in one place', 'ws', '^src/channels/direct-line/streams[.]ts$'),
  only('helmet stays with the headers', 'helmet', '^src/web/headers[.]ts$'),
  only('pino stays in the log', 'pino', '^src/log[.]ts$'),
  only('yaml stays with the files of the editors', 'yaml', '^src/source-file[.]ts$'),
  only('commander stays in main.ts', 'commander', '^src/main[.]ts$'),
  only('the app for Teams is made in one place', '(@microsoft/app-manifest|fflate)', '^src/cli/teams-package[.]ts$'),
  only('calendar files are made in one place', 'ical-generator', '^src/web/visits[.]ts$'),
  only('the calendar has luxon', 'luxon', '^src/calendar[.]ts$'),
];

describe('the modules', () => {
  let found: ICruiseResult;

  beforeAll(async () => {
    const { output } = await cruise(
      ['src', 'dialogs'],
      {
        baseDir: root,
        ruleSet: { forbidden },
        validate: true,
        doNotFollow: { path: 'node_modules' },
        tsPreCompilationDeps: true,
      },
      undefined,
      { tsConfig: { options: {} } },
    );
    if (typeof output === 'string') throw new Error(output);
    found = output;
  });

  it('import nobody they should not know', () => {
    const broken = found.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
    expect(broken).toEqual([]);
  });

  it('are all looked at', () => {
    const seen = found.modules.map(({ source }) => source);
    expect(seen).toEqual(expect.arrayContaining(['src/main.ts', 'src/turn.ts', 'dialogs/conversation.ts']));
    expect(
      found.modules.some(({ dependencies }) => dependencies.some(({ resolved }) => resolved === 'dialogs/intents.ts')),
    ).toBe(true);
  });
});
