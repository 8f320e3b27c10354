/** The whole service in the test's own process, on a database of its own. */
import { join } from 'node:path';
import { type Service, type ServiceWorld, serve } from '../src/cli/serve.ts';
import { createLog } from '../src/log.ts';
import { readSettings } from '../src/settings.ts';
import { createDatabase, migrations } from './database/database.ts';
import { content, readUnderstanding, root } from './product.ts';

const understanding = readUnderstanding();

export async function startService(
  environment: Record<string, string> = {},
  changes: Partial<ServiceWorld> = {},
): Promise<Service> {
  const settings = readSettings({
    PORT: '0',
    LOG_LEVEL: 'silent',
    DATABASE_URL: await createDatabase(),
    ...environment,
  });
  return serve({
    settings,
    content,
    understanding,
    now: () => new Date('2026-11-23T08:00:00+01:00'),
    log: createLog(settings.logLevel),
    migrations,
    scripts: join(root, 'dist/web'),
    ...changes,
  });
}
