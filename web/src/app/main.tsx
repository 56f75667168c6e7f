// index.html: the admin page.

import { render } from 'preact';
import './theme';
import { begin } from './entrance';
import { App } from './shell';

const root = document.getElementById('app');
if (root) render(<App />, root);
begin();
