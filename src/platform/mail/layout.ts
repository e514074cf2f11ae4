/** What a mail says, laid out twice: as text, and as HTML that loads nothing from outside and is well in dark mode. */
import type { Mail } from './mailer.ts';

export interface MailContent {
  readonly subject: string;
  /** The heading: usually what the subject says, in a sentence. */
  readonly title: string;
  /** Plain text each; whatever they hold is shown as it is, never read as HTML. */
  readonly paragraphs: readonly string[];
  /** The one thing to do: a button, and below it the same link to copy. http and https only. */
  readonly action?: { readonly label: string; readonly url: string };
  /** A code to type in somewhere, shown large. */
  readonly code?: string;
  /** Small print below: why this mail came, what to do if it is a mistake. */
  readonly footer?: string;
}

const textWidth = 76;

/** Lays a mail out. Throws where the action is no web address: what a person clicks on must not be a script. */
export function layOut(content: MailContent): Pick<Mail, 'subject' | 'text' | 'html' | 'action' | 'code'> {
  const { action } = content;
  if (action !== undefined && !/^https?:\/\/[^\s"<>]+$/.test(action.url)) throw new Error('The action of a mail must be an http or https address.');
  return {
    subject: content.subject.replace(/\s+/g, ' ').trim(),
    text: textOf(content),
    html: htmlOf(content),
    action: action?.url ?? null,
    code: content.code ?? null,
  };
}

function textOf({ title, paragraphs, action, code, footer }: MailContent): string {
  const blocks = [
    wrap(title),
    ...paragraphs.map(wrap),
    ...(code === undefined ? [] : [`    ${oneLine(code)}`]),
    // A link is never broken: half of it is of no use.
    ...(action === undefined ? [] : [`${wrap(`${action.label}:`)}\n${action.url}`]),
    ...(footer === undefined ? [] : [`--\n${wrap(footer)}`]),
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** Breaks lines between words; a word longer than the line stands alone. Line breaks of the text stay. */
function wrap(text: string): string {
  return text.split(/\r?\n/).map((line) => {
    const lines: string[] = [];
    let present = '';
    for (const word of line.split(/[ \t]+/)) {
      if (present !== '' && present.length + 1 + word.length > textWidth) {
        lines.push(present);
        present = word;
      } else {
        present = present === '' ? word : `${present} ${word}`;
      }
    }
    return [...lines, present].join('\n');
  }).join('\n');
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

const font = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
// Colours that are readable as they are; clients that know dark mode get the second set.
const style = `:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){.page{background:#14161a!important}.card{background:#1e2127!important}.ink{color:#eceef2!important}.soft{color:#a5acb8!important}.code{background:#2a2e36!important;color:#eceef2!important}.link{color:#8ab4ff!important}}`;

function htmlOf({ subject, title, paragraphs, action, code, footer }: MailContent): string {
  const parts = [
    `<h1 class="ink" style="margin:0 0 16px;font-size:22px;line-height:1.3;color:#16181d">${escapeHtml(title)}</h1>`,
    ...paragraphs.map((text) => `<p class="ink" style="margin:0 0 16px;font-size:16px;line-height:1.5;color:#16181d">${withBreaks(text)}</p>`),
    ...(code === undefined ? [] : [
      `<p class="code" style="margin:0 0 16px;padding:12px 16px;border-radius:6px;background:#f0f2f5;color:#16181d;font:600 24px/1.3 ui-monospace,Menlo,Consolas,monospace;letter-spacing:2px">${escapeHtml(code)}</p>`,
    ]),
    ...(action === undefined ? [] : [
      `<p style="margin:24px 0 16px"><a href="${escapeHtml(action.url)}" style="display:inline-block;padding:12px 20px;border-radius:6px;background:#1f5fd6;color:#ffffff;font-size:16px;font-weight:600;text-decoration:none">${escapeHtml(action.label)}</a></p>`,
      `<p class="soft" style="margin:0 0 16px;font-size:13px;line-height:1.5;color:#5c6370">If the button does not work, copy this address:<br><a class="link" href="${escapeHtml(action.url)}" style="color:#1f5fd6;word-break:break-all">${escapeHtml(action.url)}</a></p>`,
    ]),
    ...(footer === undefined ? [] : [
      `<p class="soft" style="margin:24px 0 0;font-size:13px;line-height:1.5;color:#5c6370">${withBreaks(footer)}</p>`,
    ]),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark"><title>${escapeHtml(subject)}</title>
<style>${style}</style></head>
<body class="page" style="margin:0;padding:0;background:#f4f5f7">
<div class="page" style="padding:24px 12px;background:#f4f5f7;${font}">
<div class="card" style="max-width:560px;margin:0 auto;padding:28px;border-radius:8px;background:#ffffff">
${parts.join('\n')}
</div></div></body></html>
`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);
const withBreaks = (text: string): string => escapeHtml(text).replace(/\r?\n/g, '<br>');
