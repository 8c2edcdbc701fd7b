"""What was written, on the hub.

Invariant: the token is the one of the person's environment; it is never printed or kept.
"""

from pathlib import Path

from huggingface_hub import HfApi, get_token

from workbench.errors import PatchError
from workbench.work.words import one_line

__all__ = ["push"]


def push(path: Path, repository: str, *, public: bool = False) -> str:
    """Uploads a file or a folder to a repository of models, which is made when it is not there.

    Args:
        path: what is uploaded.
        repository: such as ``me/my-model``.
        public: whether a new repository is.

    Returns:
        The repository's address.

    Raises:
        PatchError: there is no token, or the hub takes nothing.
    """
    token = get_token()
    if not token:
        raise PatchError(
            f"'{path}' was not uploaded: there is no token of the hub. Run 'hf auth login', or set "
            "HF_TOKEN."
        )
    api = HfApi(token=token)
    message = "Edited with the LocFT workbench"
    try:
        made = api.create_repo(repository, private=not public, exist_ok=True)
        if path.is_dir():
            api.upload_folder(
                folder_path=path, repo_id=made.repo_id, commit_message=message, revision="main"
            )
        else:
            api.upload_file(
                path_or_fileobj=path,
                path_in_repo=path.name,
                repo_id=made.repo_id,
                commit_message=message,
            )
    except Exception as error:  # the hub's library passes on whatever its own libraries raise
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        said = one_line(said.replace(token, "…"), 300).rstrip(".")
        raise PatchError(
            f"'{path}' was not uploaded to '{repository}': {said}. It is whole here; look at the "
            "name, the token's rights and the network, and upload it with 'hf upload'."
        ) from None
    return str(made)
