import re
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
version, = re.findall(r"^__version__ = '(.+)'$", (here / 'ding_qmix' / '__init__.py').read_text('utf-8'), re.M)
readme = here / 'README.md'

setup(
    name='ding-qmix',
    version=version,
    description='QMIX for DI-engine, with a fast simulator of the StarCraft Multi-Agent Challenge built in',
    long_description=readme.read_text('utf-8') if readme.exists() else '',
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['ding_qmix', 'ding_qmix.*', 'dizoo_configs', 'dizoo_configs.*']),
    package_data={
        'ding_qmix': ['py.typed'],
        'ding_qmix.render': ['web/*']
    },
    # DI-engine needs numpy < 2, which is not built for Python 3.13.
    python_requires='>=3.9,<3.13',
    install_requires=[
        'DI-engine>=0.5.3,<0.6',
        'easydict',
        'gym>=0.25.1,<0.26',
        'numba>=0.57',
        'numpy>=1.24,<2',
        'torch>=2.4',  # first with fused optimizers on CPUs
    ],
    extras_require={
        'test': ['pytest>=7', 'hypothesis>=6', 'pillow>=10.1', 'websocket-client>=1.3', 's2clientprotocol'],
        'starcraft2': ['websocket-client>=1.3'],
        'render': ['imageio[ffmpeg]', 'pillow>=10.1'],
        'plot': ['matplotlib'],
        'dev': ['mypy', 'ruff', 'yapf==0.29.0'],
    },
    classifiers=[
        'Development Status :: 4 - Beta',
        'Intended Audience :: Science/Research',
        'License :: OSI Approved :: Apache Software License',
        'Operating System :: POSIX :: Linux',
        'Programming Language :: Python :: 3.9',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
)
