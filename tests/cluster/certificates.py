"""The keys and certificates of one control plane, made with openssl (EC P-256: all take half a second)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.commands import run

DAYS = "3650"


@dataclass(frozen=True)
class Pki:
    """A certificate authority in a folder, and what it signed: `NAME.crt` and `NAME.key`."""

    folder: Path

    def crt(self, name: str) -> Path:
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    def create(self, *, addresses: Sequence[str], node: str) -> None:
        """Make the authority, the API server's certificate for `addresses` and one for each component."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self._authority()
        names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"]
        alternatives = [f"DNS:{name}" for name in names] + [f"IP:{address}" for address in addresses]
        self._sign("apiserver", "/CN=kube-apiserver", f"subjectAltName={','.join(alternatives)}")
        self._sign("apiserver-kubelet", "/O=system:masters/CN=kube-apiserver-kubelet-client")
        self._sign("admin", "/O=system:masters/CN=admin")
        self._sign("controller-manager", "/CN=system:kube-controller-manager")
        self._sign("scheduler", "/CN=system:kube-scheduler")
        self._sign("proxy", "/CN=system:kube-proxy")
        self._sign("kubelet", f"/O=system:nodes/CN=system:node:{node}")
        self._key("service-account")
        public = self.folder / "service-account.pub"
        run("openssl", "ec", "-in", self.key("service-account"), "-pubout", "-out", public)

    def _key(self, name: str) -> None:
        run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key(name))
        self.key(name).chmod(0o600)

    def _authority(self) -> None:
        self._key("ca")
        run(
            *(
                "openssl",
                "req",
                "-x509",
                "-new",
                "-key",
                self.key("ca"),
                "-subj",
                "/CN=scheduledjob-testcluster",
            ),
            # Python 3.13 and newer refuse an authority that does not say what its key is for
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature"),
            *("-days", DAYS, "-out", self.crt("ca")),
        )

    def _sign(self, name: str, subject: str, *extensions: str) -> None:
        self._key(name)
        request, config = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        usage = ["basicConstraints=CA:FALSE", "keyUsage=critical,digitalSignature"]
        usage += ["extendedKeyUsage=serverAuth,clientAuth"]
        usage += ["subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid"]
        config.write_text("\n".join([*usage, *extensions]) + "\n")
        run("openssl", "req", "-new", "-key", self.key(name), "-subj", subject, "-out", request)
        run(
            *("openssl", "x509", "-req", "-in", request, "-CA", self.crt("ca"), "-CAkey", self.key("ca")),
            *("-CAcreateserial", "-days", DAYS, "-extfile", config, "-out", self.crt(name)),
        )
        request.unlink()
        config.unlink()
