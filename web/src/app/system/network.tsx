// The box's network, its name on it, and the way in for its maintainers.

import { Head } from '../kit';
import { t } from '../text';
import { OnBox } from './box';
import { Hostname, Ssh } from './host';
import { Ports } from './ports';

export default function NetworkPart() {
  return (
    <>
      <Head title={t('system.network')} />
      <OnBox>
        <Ports />
        <Hostname />
        <Ssh />
      </OnBox>
    </>
  );
}
