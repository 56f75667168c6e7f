// Cloud registration as the server tells it: this box as an edge, and the sites of a central.

import { useEffect } from 'preact/hooks';
import { useLoaded } from '../kit';

export const GRANTS = ['view', 'playback', 'control', 'administration'] as const;
export type Grant = (typeof GRANTS)[number];

/** GetCloudClientInfo. */
export interface Client {
  bEnable: boolean;
  strServerName: string;
  strServerToken: string;
  strCloudIp: string;
  strCloudPort: string;
  bSSL: boolean;
  strUser: string;
  strState: 'off' | 'connecting' | 'unclaimed' | 'online' | 'offline';
  strStateText: string;
  strOnlineSince: string;
  strNameAtCentral?: string;
  strClaimCode?: string;
  strDeviceKey: string;
  strPin: string;
  /** Of a certificate that is not trusted; '' otherwise. */
  strPinOffered: string;
  strGrant: Grant;
}

/** An entry of GetServerList. */
export interface Site {
  strServerToken: string;
  strServerName: string;
  strServerIp: string;
  bOnline: boolean;
  bEnable: boolean;
  /** Online since, or away since; '' for one that never was connected. */
  strSince: string;
  strVersion: string;
  nSources: number;
}

export interface Sites {
  server: Site[];
  bCentral: boolean;
  /** After the next start. */
  bCentralNext: boolean;
}

/** An entry of GetClaimList. */
export interface Waiting {
  strServerToken: string;
  strServerName: string;
  strIp: string;
  strDeviceKey: string;
}

/** What changes while it is looked at, asked for every two seconds. */
export function useWatched<T>(load: (signal: AbortSignal) => Promise<T>) {
  const loaded = useLoaded(load);
  useEffect(() => {
    const timer = setInterval(() => void loaded.reload(), 2000);
    return () => clearInterval(timer);
  }, []);
  return loaded;
}

/** Those of which a text says `asked`, by name. */
export function found(sites: readonly Site[], asked: string): Site[] {
  const needle = asked.trim().toLowerCase();
  const says = ({ strServerName, strServerToken, strServerIp }: Site) => [strServerName, strServerToken, strServerIp].some((text) => text.toLowerCase().includes(needle));
  return sites.filter(says).sort((a, b) => a.strServerName.localeCompare(b.strServerName, undefined, { numeric: true }));
}
