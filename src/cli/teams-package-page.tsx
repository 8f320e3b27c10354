/**
 * The instructions for whoever administers Teams: one page of HTML that needs
 * nothing else, to be opened from a disk or printed. Its texts are the
 * content's, but for the names and addresses of settings and of Microsoft's
 * pages.
 */
import type { ComponentChildren } from 'preact';
import { render } from 'preact-render-to-string';
import type { Content } from '../content.ts';
import type { PackageSettings } from '../settings.ts';
import { blocksOf } from '../web/chat/markdown.tsx';
import { escaped, READING_STYLE } from '../web/page.ts';
import { appTextsIn, type Section, sections } from './teams-package-texts.ts';

export type Instructions = {
  settings: PackageSettings;
  content: Pick<Content, 'label'>;
  version: string;
  /** What the package is called. */
  file: string;
  /** The icon, as PNG in Base64. */
  icon: string;
};

/** What the instructions follow, by Microsoft's own titles, and the day of those that had one. */
const SOURCES: readonly { title: string; url: string; dated?: string }[] = [
  {
    title: 'Register a bot with Azure',
    url: 'https://learn.microsoft.com/en-us/azure/bot-service/bot-service-quickstart-registration',
  },
  {
    title: 'Connect a bot to Microsoft Teams',
    url: 'https://learn.microsoft.com/en-us/azure/bot-service/channel-connect-teams',
    dated: '2019-08-26',
  },
  {
    title: 'Manage custom apps in Microsoft Teams admin center',
    url: 'https://learn.microsoft.com/en-us/microsoftteams/teams-custom-app-policies-and-settings',
    dated: '2024-08-26',
  },
  {
    title: 'Use app centric management to manage apps',
    url: 'https://learn.microsoft.com/en-us/microsoftteams/app-centric-management',
    dated: '2024-05-10',
  },
  {
    title: 'Manage app permission policies in Microsoft Teams',
    url: 'https://learn.microsoft.com/en-us/microsoftteams/teams-app-permission-policies',
  },
  {
    title: 'Teams app package',
    url: 'https://learn.microsoft.com/en-us/microsoftteams/platform/concepts/build-and-test/apps-package',
    dated: '2022-09-28',
  },
];

export function instructionsPage({ settings, content, version, file, icon }: Instructions): string {
  const { appId, tenantId, publicUrl, developer } = settings;
  const [opening] = appTextsIn('sv', content).openings;
  const host = new URL(publicUrl).hostname;
  const facts = { file, host, version, opening: opening?.says ?? '' };
  const label = (name: string) => content.label(`teams/${name}`, facts);
  const text = (name: string) => blocksOf(label(name), '').map(({ shown }) => shown);
  const words = (name: string) => blocksOf(label(name), '').map(({ words: shown }) => shown);

  const endpoint = `${publicUrl}/api/messages`;
  const besides: Partial<Record<Section, ComponentChildren>> = {
    register: (
      <Table
        caption={label('registerTable')}
        head={[label('settingName'), label('settingValue')]}
        rows={[
          ['Application (client) ID', <code>{appId}</code>],
          ['Directory (tenant) ID', <code>{tenantId}</code>],
          ['Type of App', 'Single Tenant'],
          ['Messaging endpoint', <code>{endpoint}</code>],
        ]}
      />
    ),
    settings: (
      <Table
        caption={label('settingsTable')}
        head={[label('settingName'), label('settingValue')]}
        rows={[
          [<code>MicrosoftAppId</code>, <code>{appId}</code>],
          [<code>MicrosoftAppTenantId</code>, <code>{tenantId}</code>],
          [<code>MicrosoftAppType</code>, <code>SingleTenant</code>],
          [<code>MicrosoftAppPassword</code>, label('secret')],
          [<code>KORTLOTSEN_PUBLIC_URL</code>, <code>{publicUrl}</code>],
        ]}
      />
    ),
    data: (
      <ul>
        <li>
          {label('dataRecords')}: <a href={`${publicUrl}/records`}>{publicUrl}/records</a>
        </li>
        {developer.privacyUrl !== `${publicUrl}/records` && (
          <li>
            {label('dataPrivacy')}: <a href={developer.privacyUrl}>{developer.privacyUrl}</a>
          </li>
        )}
      </ul>
    ),
    sources: (
      <ul>
        {SOURCES.map(({ title, url, dated }) => (
          <li>
            <a href={url} lang="en">
              {title}
            </a>
            {dated && `, ${dated}`}
          </li>
        ))}
      </ul>
    ),
  };

  const body = render(
    <main>
      <header>
        <img src={`data:image/png;base64,${icon}`} alt="" width="64" height="64" />
        <h1>{label('title')}</h1>
      </header>
      {text('intro')}
      <dl>
        <dt>{label('packageName')}</dt>
        <dd>{file}</dd>
        <dt>{label('packageVersion')}</dt>
        <dd>{version}</dd>
        <dt>{label('packageApp')}</dt>
        <dd>
          <code>{appId}</code>
        </dd>
        <dt>{label('packageDomain')}</dt>
        <dd>{host}</dd>
        <dt>{label('packagePermission')}</dt>
        <dd>{words('packageIdentity')}</dd>
      </dl>
      {sections.map((section) => (
        <section>
          <h2>{label(`${section}Title`)}</h2>
          {text(`${section}Text`)}
          {besides[section]}
        </section>
      ))}
    </main>,
  );

  return `<!doctype html>
<html lang="sv">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(label('title'))}</title>
<style>${STYLE}</style>
<link rel="icon" href="data:image/png;base64,${icon}">
</head>
<body>
${body}
</body>
</html>
`;
}

type TableShape = { caption: string; head: readonly string[]; rows: readonly (readonly ComponentChildren[])[] };

/** The first of each row is its heading. */
function Table({ caption, head, rows }: TableShape) {
  return (
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr>
          {head.map((each) => (
            <th scope="col">{each}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, ...values]) => (
          <tr>
            <th scope="row">{name}</th>
            {values.map((value) => (
              <td>{value}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const STYLE = `${READING_STYLE}
body { background: Canvas; color: CanvasText; }
header { display: flex; align-items: center; gap: 1rem; margin-bottom: 1rem; }
header img { border-radius: 10px; }
main > section { counter-increment: part; }
h2::before { content: counter(part) '. '; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1.25rem; margin: 1rem 0 0; }
dt { color: var(--subtle); }
dd { margin: 0; }
code { font: 0.9em ui-monospace, Consolas, monospace; }
ul, ol { padding-left: 1.5rem; }
table { width: 100%; margin-top: 1rem; border-collapse: collapse; }
caption { padding-bottom: 0.25rem; color: var(--subtle); text-align: left; }
th, td { padding: 0.4rem 0.75rem 0.4rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
tbody th { width: 35%; font-weight: normal; }
@media (max-width: 30rem) {
  dl { display: block; }
  dd + dt { margin-top: 0.5rem; }
}
@media print {
  :root { color-scheme: light; }
  main { max-width: none; padding: 0; }
  section { break-inside: avoid; }
  h2 { break-after: avoid; }
  a[lang]::after { content: ' (' attr(href) ')'; }
}
`;
