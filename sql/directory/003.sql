-- SPDX-License-Identifier: ISC
-- Who is asked about appeals (1: recipients too), and who hears once a day of what
-- was refused for him (1).
ALTER TABLE policy ADD COLUMN appeals INTEGER;
ALTER TABLE policy ADD COLUMN refused_mail INTEGER;
