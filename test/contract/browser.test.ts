/** The web shell in a real browser: what its headers must allow, and what they must not. */
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWebShell, type WebShell } from '../../electron/web/shell.ts';
import { browserSupported, type OpenedBrowser, openBrowser } from '../support/browser.ts';
import { writeScreens } from '../support/screens.ts';
import { createStandInWorkstation, type StandInWorkstation } from '../support/standInWorkstation.ts';

describe.skipIf(!browserSupported)('in Chromium', () => {
  let workstation: StandInWorkstation;
  let rendererPath: string;
  let shell: WebShell;
  let chromium: OpenedBrowser;

  beforeAll(async () => {
    workstation = createStandInWorkstation();
    rendererPath = await writeScreens();
    shell = await startWebShell({ workstation, rendererPath });
    chromium = await openBrowser();
    await chromium.page.goto(shell.url);
  });
  afterAll(async () => {
    await chromium?.close();
    await shell.close();
    await rm(dirname(rendererPath), { recursive: true, force: true });
  });

  it('a module worker obtains a WebGPU device, cross-origin isolated', async () => {
    await chromium.page.waitForFunction(() => document.title.startsWith('{'));
    expect(JSON.parse(await chromium.page.title())).toEqual({ device: true, software: true, isolated: true });
  });

  it('the page has WebGPU, and an adapter that calls itself a fallback', async () => {
    const software = await chromium.page.evaluate(async () => {
      const adapter = await navigator.gpu.requestAdapter();
      return adapter?.info.isFallbackAdapter;
    });
    expect(software).toBe(true);
  });

  it('its own page may listen to events', async () => {
    const heard = chromium.page.evaluate(
      (token) =>
        new Promise((resolve, reject) => {
          const socket = new WebSocket(`ws://${location.host}/events`, ['boxwright', `token.${token}`]);
          socket.onmessage = (message) => resolve(JSON.parse(message.data));
          socket.onerror = () => reject(new Error('refused'));
          socket.onopen = () => fetch('/api/app.info', { headers: { authorization: `Bearer ${token}` } });
        }),
      shell.token,
    );
    const repeat = setInterval(() => workstation.emit({ type: 'project', project: null }), 50);
    try {
      expect(await heard).toEqual({ type: 'project', project: null });
    } finally {
      clearInterval(repeat);
    }
  });

  it('an inline script, an inline handler and a foreign image stay dead', async () => {
    const result = await chromium.page.evaluate(async () => {
      const violations: string[] = [];
      document.addEventListener('securitypolicyviolation', (event) =>
        violations.push(event.effectiveDirective),
      );
      const script = document.createElement('script');
      script.textContent = 'document.body.dataset.ran = "script"';
      document.body.append(script);
      document.body.insertAdjacentHTML(
        'beforeend',
        '<img src="http://127.0.0.1:9/x.png" onerror="document.body.dataset.ran = `handler`"><style>body { color: red }</style>',
      );
      await new Promise((resolve) => setTimeout(resolve, 300));
      return { ran: document.body.dataset.ran ?? null, violations: [...new Set(violations)].sort() };
    });
    expect(result).toEqual({
      ran: null,
      violations: ['img-src', 'script-src-attr', 'script-src-elem', 'style-src-elem'],
    });
  });

  it('a style element with the page’s nonce is taken', async () => {
    const color = await chromium.page.evaluate(() => {
      const style = document.createElement('style');
      style.nonce = document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content ?? '';
      style.textContent = 'body { color: rgb(1, 2, 3) }';
      document.head.append(style);
      return getComputedStyle(document.body).color;
    });
    expect(color).toBe('rgb(1, 2, 3)');
  });

  it('another page reaches neither requests, events nor files', async () => {
    const evil = await startWebShell({ workstation: createStandInWorkstation(), rendererPath });
    const page = await chromium.newPage({ bypassCSP: true });
    await page.goto(evil.url);
    const before = workstation.calls.length;
    const reached = await page.evaluate(
      async ({ target, token }) => {
        const tries: Record<string, boolean> = {};
        const attempt = async (name: string, work: () => Promise<unknown>) => {
          tries[name] = await work().then(
            () => true,
            () => false,
          );
        };
        const headers = { authorization: `Bearer ${token}` };
        await attempt('read', () => fetch(target));
        await attempt('post', () => fetch(`${target}api/images.list`, { method: 'POST', headers }));
        await attempt(
          'script',
          () =>
            new Promise((resolve, reject) => {
              const script = document.createElement('script');
              script.src = `${target}assets/main-1a2b.js`;
              script.onload = resolve;
              script.onerror = reject;
              document.head.append(script);
            }),
        );
        await attempt(
          'events',
          () =>
            new Promise((resolve, reject) => {
              const url = `${target.replace('http', 'ws')}events`;
              const socket = new WebSocket(url, ['boxwright', `token.${token}`]);
              socket.onopen = resolve;
              socket.onerror = reject;
            }),
        );
        // A simple request is sent without asking, and unreadable: it must do nothing.
        await fetch(`${target}api/images.list`, { method: 'POST', mode: 'no-cors', body: 'x' }).catch(
          () => {},
        );
        return tries;
      },
      // Even if the token had leaked.
      { target: shell.url, token: shell.token },
    );
    await page.close();
    await evil.close();
    expect(reached).toEqual({ read: false, post: false, script: false, events: false });
    expect(workstation.calls).toHaveLength(before);
  });
});
