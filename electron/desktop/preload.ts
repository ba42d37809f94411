/** Runs in the window before the page, in a world of its own: connects to the services and shows the page two functions. */
import { contextBridge, ipcRenderer } from 'electron';
import { createBridge } from './bridge.ts';
import { connectChannel, type Port } from './channel.ts';

const { port1, port2 } = new MessageChannel();
ipcRenderer.postMessage(connectChannel, null, [port1]);

const port: Port = {
  postMessage: (message) => port2.postMessage(message),
  onMessage: (listener) =>
    port2.addEventListener('message', (event) => listener((event as MessageEvent).data)),
  onClose: (listener) => port2.addEventListener('close', () => listener()),
  start: () => port2.start(),
  close: () => port2.close(),
};
contextBridge.exposeInMainWorld('boxwright', createBridge(port));
