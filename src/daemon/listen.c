/* SPDX-License-Identifier: ISC */
#include "daemon/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/ip.h"
#include "base/log.h"

static const struct {
	unsigned standard;
	const char *name;
} ports[] = {
	{ 25, "SMTP" },
	{ 80, "HTTP" },
	{ 110, "POP3" },
	{ 143, "IMAP" },
	{ 443, "HTTPS" },
	{ 993, "IMAPS" },
	{ 995, "POP3S" },
};

static enum rc
failed(const struct ip *ip, const char *name, struct err *err)
{
	int e = errno;
	char text[IP_TEXT];

	ip_text(ip, text);
	if (e == EADDRINUSE)
		return err_set(err, RC_TEMP,
			"port %u (%s) on %s is in use by another program", ip->port, name,
			text);
	if (e == EACCES)
		return err_set(err, RC_TEMP,
			"port %u (%s) on %s needs root's rights; start as root, or set port_offset",
			ip->port, name, text);
	if (e == EADDRNOTAVAIL)
		return err_set(err, RC_TEMP,
			"this machine has no address %s (setting listen)", text);
	errno = e;
	return err_errno(err, text);
}

static enum rc
bind_one(const struct ip *ip, const char *name, int *out, struct err *err)
{
	struct sockaddr_storage at;
	socklen_t len = ip_to_sockaddr(ip, &at);
	FD_AUTO fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int one = 1;

	if (fd < 0)
		return failed(ip, name, err);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* 0.0.0.0 and :: are two listeners, so that neither takes the other's port */
	if (ip->family == 6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) != 0)
		return failed(ip, name, err);
	if (bind(fd, (struct sockaddr *)&at, len) != 0 || listen(fd, SOMAXCONN) != 0)
		return failed(ip, name, err);
	*out = fd;
	fd = -1;
	return RC_OK;
}

static enum rc
bind_ports(const struct conf *conf, struct ip ip, bool may_lack, struct listeners *l,
	struct err *err)
{
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		unsigned port = conf_port(conf, ports[i].standard);

		if (l->n == SETUP_LISTENERS)
			return err_set(err, RC_BAD, "more than %d listeners",
				(int)SETUP_LISTENERS);
		ip.port = (uint16_t)port;
		enum rc rc = bind_one(&ip, ports[i].name, &l->fds[l->n], err);
		if (rc != RC_OK && may_lack &&
			(errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
			log_info("this machine has no IPv6");
			return RC_OK;
		}
		if (rc != RC_OK)
			return rc;
		l->ports[l->n++] = (uint16_t)ports[i].standard;
	}
	return RC_OK;
}

enum rc
listen_open(const struct conf *conf, struct listeners *out, struct err *err)
{
	str list = conf->server.listen, one;
	bool everywhere = str_empty(list) && conf->server.port_offset == 0;
	struct listeners l = { 0 };
	enum rc rc = RC_OK;

	if (str_empty(list))
		list = everywhere ? STR("0.0.0.0 ::") : STR("127.0.0.1");
	while (rc == RC_OK && str_cut(&list, ' ', &one)) {
		struct ip ip;

		if (str_empty(one))
			continue;
		if (!ip_parse(one, &ip))
			rc = err_set(err, RC_BAD, "listen: not an address");
		else
			rc = bind_ports(conf, ip, everywhere && ip.family == 6, &l, err);
	}
	if (rc != RC_OK)
		listen_close(&l);
	else
		*out = l;
	return rc;
}

void
listen_close(struct listeners *l)
{
	for (size_t i = 0; i < l->n; i++)
		fs_close(&l->fds[i]);
	l->n = 0;
}
